import { Type } from 'typebox';
import type { Static } from 'typebox';

/** What may stand in an HTTP header value and in a key: visible ASCII, no blanks. */
const KEY_PATTERN = '^[\\x21-\\x7e]+$';
const closed = { additionalProperties: false };

const Key = Type.String({ minLength: 8, maxLength: 4096, pattern: KEY_PATTERN });
const Label = Type.String({ minLength: 1, maxLength: 128, pattern: '^[A-Za-z0-9][A-Za-z0-9._@:+ -]*$' });

const ClientKey = Type.Object({ name: Label, key: Key }, closed);

const Slack = Type.Object(
  {
    webhook_url: Type.Optional(Type.String({ maxLength: 2048, pattern: '^https://' })),
    channel: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    username: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    icon_emoji: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    enabled: Type.Optional(Type.Boolean()),
  },
  closed,
);

const common = {
  /** Name under which usage is counted; the domain when absent. */
  accountId: Type.Optional(Label),
  /** One key for all clients of the domain; counted under the name `default`. */
  client_api_key: Type.Optional(Key),
  /** A key per person or team, so that one can be withdrawn alone. */
  client_keys: Type.Optional(Type.Array(ClientKey, { minItems: 1, maxItems: 1000 })),
  /** Paths forwarded besides the Messages API: exact, or a folder as `/v1/files/*`. */
  allowed_paths: Type.Optional(
    Type.Array(Type.String({ maxLength: 256, pattern: '^/v1/[A-Za-z0-9._~/-]*\\*?$' }), { maxItems: 100 }),
  ),
  slack: Type.Optional(Slack),
};

/** `"type": "api_key"`: exactly one of `api_key` and `api_key_file`. */
export const ApiKeyCredentialSchema = Type.Object(
  {
    type: Type.Literal('api_key'),
    ...common,
    api_key: Type.Optional(Key),
    /** Absolute, or relative to the folder of the credential file; read again when it changes. */
    api_key_file: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })),
  },
  closed,
);

/** `"type": "oauth"`: a stored claude.ai login. */
export const OauthCredentialSchema = Type.Object(
  {
    type: Type.Literal('oauth'),
    ...common,
    oauth: Type.Object(
      {
        accessToken: Key,
        refreshToken: Key,
        /** Milliseconds since 1970. */
        expiresAt: Type.Integer({ minimum: 0 }),
        scopes: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { maxItems: 50 })),
      },
      closed,
    ),
  },
  closed,
);

export type ApiKeyCredential = Static<typeof ApiKeyCredentialSchema>;
export type OauthCredential = Static<typeof OauthCredentialSchema>;
/** Content of one `<domain>.credentials.json`. */
export type CredentialFile = ApiKeyCredential | OauthCredential;
