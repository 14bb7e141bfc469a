# Both binaries in one image: exo-bench-exporter, and exo-sim, which the demo runs beside it.

# Digests are of the lists of all platforms.
ARG GO_IMAGE=golang:1.26.8@sha256:6c2a5538f964f1c82f97ad14988bf05de100d922d159d0e398b54c7b0ca0c6c9
ARG BASE_IMAGE=gcr.io/distroless/static-debian13:nonroot@sha256:e2e927ec666bae08560abb3c55d0659eceabb657f56b6782ab500a9fc7f555e3

FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
ARG TARGETOS TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
# The whole tree with its .git: the binaries take their version from it (-buildvcs). A tracked file
# that is missing here would make every image report itself as modified, so .dockerignore names none.
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    mkdir -p /out/bin /out/lib && mkdir -m 1777 /out/lib/exo-bench-exporter && \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=auto -ldflags='-s -w' -o /out/bin/ ./cmd/exo-bench-exporter ./cmd/exo-sim

# CA certificates for an exo node behind TLS, time zones, a user: nothing else, not even a shell.
FROM ${BASE_IMAGE}
ARG BASE_IMAGE
ARG VERSION=local REVISION=
LABEL org.opencontainers.image.title="exo-bench-exporter" \
      org.opencontainers.image.description="Prometheus exporter that benchmarks the models of an exo node" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="$BASE_IMAGE"
COPY --from=build /out/bin/ /usr/local/bin/
# The only place that is written to. A named volume mounted here inherits owner and mode, so that the
# container can also run as another user. What is copied is its parent: a directory that is itself
# the source of a COPY gets neither its own mode nor that of --chmod.
COPY --from=build --chown=65532:65532 /out/lib/ /var/lib/
ENV EXOBENCH_STATE_DIR=/var/lib/exo-bench-exporter
USER 65532:65532
EXPOSE 9955
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/exo-bench-exporter", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/exo-bench-exporter"]
