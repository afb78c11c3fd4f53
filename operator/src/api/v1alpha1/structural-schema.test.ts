import { Type } from 'typebox';
import { describe, expect, test } from 'vitest';

import { SchemaError, structuralSchema } from './structural-schema.ts';

describe('a structural schema', () => {
  test('requires what has neither a default nor is optional', () => {
    const schema = Type.Object({
      plain: Type.String(),
      filled: Type.Integer({ default: 1 }),
      free: Type.Optional(Type.Boolean()),
    });
    expect(structuralSchema(schema)).toEqual({
      type: 'object',
      required: ['plain'],
      properties: {
        plain: { type: 'string' },
        filled: { type: 'integer', default: 1 },
        free: { type: 'boolean' },
      },
    });
  });

  test('says the default in the description, which is all that explain shows', () => {
    const schema = Type.Object(
      { text: Type.String({ description: 'Size.', default: '1Gi' }), yes: Type.Boolean({ default: true }) },
      { description: 'Whole.', default: {} },
    );
    expect(structuralSchema(schema)).toMatchObject({
      description: 'Whole.',
      properties: {
        text: { description: 'Size. Default: "1Gi".', default: '1Gi' },
        yes: { default: true },
      },
    });
  });

  test('reaches into lists and maps', () => {
    const list = Type.Array(Type.Object({ name: Type.String({ default: 'a' }) }), { maxItems: 3 });
    const map = { type: 'object', additionalProperties: list };
    const plainList = {
      type: 'array',
      maxItems: 3,
      items: { type: 'object', properties: { name: { type: 'string', default: 'a' } } },
    };
    expect(structuralSchema(map)).toEqual({ type: 'object', additionalProperties: plainList });
  });

  test.each([
    ['a union', Type.Union([Type.String(), Type.Integer()])],
    ['a constant', Type.Literal('a')],
    ['a record', Type.Record(Type.String(), Type.String())],
    ['a reference', Type.Ref('other')],
    [
      'a closed object inside another',
      Type.Object({ inner: Type.Object({}, { additionalProperties: false }) }),
    ],
  ])('refuses %s, which the API server does not take', (_, schema) => {
    expect(() => structuralSchema(schema)).toThrow(SchemaError);
  });
});
