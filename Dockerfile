# syntax=docker/dockerfile:1
#
# Images of ClaudeNexus, a target each: proxy (which also migrates), dashboard, operator.
#
#   docker build --target proxy --tag claude-nexus/proxy:0.1.0 .
#
# A private npm registry or certificate authority comes in as a secret, of which nothing stays in the image:
#   --secret id=npmrc,src=npmrc --secret id=ca,src=ca.pem       (npmrc holds cafile=/run/secrets/ca)
#
# All work is done on the platform of the builder: of what is added to the base image nothing is native.

ARG NODE_IMAGE=docker.io/library/node:24-trixie-slim

FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages/api-contract/package.json packages/api-contract/
COPY packages/database/package.json packages/database/
COPY packages/domain/package.json packages/domain/
COPY packages/protocol/package.json packages/protocol/
COPY packages/recording/package.json packages/recording/
COPY packages/runtime/package.json packages/runtime/
COPY services/proxy/package.json services/proxy/
COPY services/dashboard/package.json services/dashboard/
COPY operator/package.json operator/
COPY web/package.json web/
COPY e2e/package.json e2e/

FROM manifests AS modules
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca,target=/run/secrets/ca \
    --mount=type=cache,target=/root/.npm \
    set -eu; \
    for part in services/proxy services/dashboard operator; do \
      npm ci --ignore-scripts --omit=dev --omit=optional --include-workspace-root=false --workspace="$part"; \
      mkdir -p "/modules/$part"; \
      mv node_modules "/modules/$part/"; \
    done

FROM manifests AS web
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca,target=/run/secrets/ca \
    --mount=type=cache,target=/root/.npm \
    npm ci --ignore-scripts --include-workspace-root=false --workspace=web
COPY tsconfig.base.json ./
COPY packages packages
COPY web web
RUN npm exec --workspace=web -- vite build && chmod -R a+rX,go-w web/dist

# What the images hold of the sources, readable to every user whatever the umask of the checkout was.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS sources
WORKDIR /app
COPY package.json LICENSE ./
COPY packages packages
COPY services services
COPY operator operator
COPY scripts scripts
COPY client-setup client-setup
RUN chmod -R a+rX,go-w .

# The base image without the package managers: nothing is installed in a running container.
FROM ${NODE_IMAGE} AS base
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS bare
COPY --from=base / /root-of-image
RUN cd /root-of-image && rm -rf usr/local/lib/node_modules usr/local/include opt/yarn-* tmp/* \
    usr/local/bin/npm usr/local/bin/npx usr/local/bin/corepack usr/local/bin/yarn usr/local/bin/yarnpkg \
    usr/local/bin/docker-entrypoint.sh

FROM scratch AS runtime
COPY --from=bare /root-of-image /
ARG VERSION=0.1.0
ARG REVISION=unknown
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin NODE_ENV=production
LABEL org.opencontainers.image.vendor="ClaudeNexus" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
WORKDIR /app
COPY --from=sources /app/package.json /app/LICENSE ./
# A number, so that Kubernetes sees that it is not root. Any other one will do as well.
USER 1000:1000
STOPSIGNAL SIGTERM

FROM runtime AS proxy
LABEL org.opencontainers.image.title="ClaudeNexus proxy" \
      org.opencontainers.image.description="Byte-transparent, recording Messages API proxy, and the migrations of its database"
COPY --from=modules /modules/services/proxy/node_modules node_modules
COPY --from=sources /app/packages packages
COPY --from=sources /app/services/proxy services/proxy
COPY --from=sources /app/scripts scripts
COPY --from=sources /app/client-setup client-setup
EXPOSE 3000 9090
CMD ["node", "services/proxy/src/main.ts"]

FROM runtime AS dashboard
LABEL org.opencontainers.image.title="ClaudeNexus dashboard" \
      org.opencontainers.image.description="HTTP API and web application over what the proxy recorded"
COPY --from=modules /modules/services/dashboard/node_modules node_modules
COPY --from=sources /app/packages packages
COPY --from=sources /app/services/dashboard services/dashboard
COPY --from=web /app/web/dist web/dist
EXPOSE 3001 9091
CMD ["node", "services/dashboard/src/main.ts"]

FROM runtime AS operator
LABEL org.opencontainers.image.title="ClaudeNexus operator" \
      org.opencontainers.image.description="Kubernetes operator that runs ClaudeNexus gateways"
COPY --from=modules /modules/operator/node_modules node_modules
COPY --from=sources /app/packages/runtime packages/runtime
COPY --from=sources /app/operator operator
EXPOSE 8080 8081
CMD ["node", "operator/src/main.ts"]
