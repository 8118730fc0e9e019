# syntax=docker/dockerfile:1
# One image for all services: `docker build .`, about 60 MiB on top of Node.
# `docker build --target all-in-one .` also has ClickHouse as a library, for `ribscope up`: 540 MiB more.
ARG NODE_IMAGE=node:24.21-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY . .
# Installs and builds. `npm ci` rejects lock files that lack binaries for other platforms.
RUN --mount=type=cache,target=/root/.npm npm install --no-audit --no-fund
# What only a build needs: other packages, sources, maps.
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund
RUN find packages services -type f \
      \( -name '*.ts' -o -name '*.map' -o -name 'tsconfig*' -o -name '*.tsbuildinfo' \) \
      -not -path '*/node_modules/*' -delete

FROM build AS lean
RUN rm -rf node_modules/@chdb

FROM ${NODE_IMAGE} AS base
ENV NODE_ENV=production
WORKDIR /app
# The user `node` of the image, by number so that Kubernetes can tell that it is not root. Nothing in /app is writable to it.
USER 1000:1000
STOPSIGNAL SIGTERM
# Node as process 1: it handles SIGTERM itself and starts no processes.
ENTRYPOINT ["node", "/app/bin/ribscope.js"]
CMD ["--help"]

FROM base AS all-in-one
USER root
RUN install -d -o 1000 -g 1000 /data
USER 1000:1000
COPY --from=build /src /app
ENV RIBSCOPE_DATA=/data RIBSCOPE_BMP=0.0.0.0:11019
VOLUME /data
EXPOSE 11019 8080
HEALTHCHECK --interval=10s --timeout=5s --retries=6 --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["up"]

# Last: what `docker build .` and compose make. Its health checks are compose's: what is healthy is another thing for each service.
FROM base AS services
COPY --from=lean /src /app
EXPOSE 11019 8080 9464
