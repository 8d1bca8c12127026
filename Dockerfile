# The image of MarketEdge: what serves requests, and what the release step runs. No secret goes into it.
#
#   docker build --build-arg RELEASE_COMMIT="$(git rev-parse HEAD)" -t marketedge .
#   docker run --read-only --tmpfs /tmp --shm-size 64m --env-file ... -p 8000:8000 marketedge
#
# docs/deployment.md says what its environment must hold and how the release step is run.

FROM python:3.11-slim AS packages
WORKDIR /build
RUN python -m venv /packages
COPY requirements.txt .
RUN /packages/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --requirement requirements.txt

FROM python:3.11-slim
ENV PATH=/packages/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    BIND=0.0.0.0:8000
COPY --from=packages /packages /packages
WORKDIR /marketedge
# Everything stays root's: the processes can read it and change none of it.
COPY . .
# Made-up settings, for this one command: nothing listens at the database's address, and nothing asks it.
RUN SECRET_KEY=only-while-building-0123456789-abcdefghijklmnopqrstuvwxyz \
    PUBLIC_URL=https://build.example ALLOWED_HOSTS=build.example CONTACT=build@build.example \
    DATABASE_URL=postgres://build:none@127.0.0.1:1/none \
    OIDC_ISSUER=https://build.example/ OIDC_RP_CLIENT_ID=none OIDC_RP_CLIENT_SECRET=none \
    python manage.py collectstatic --no-input --verbosity 0 && python -m compileall -q .
ENV PYTHONDONTWRITEBYTECODE=1

ARG RELEASE_COMMIT=unknown
ENV RELEASE_COMMIT=$RELEASE_COMMIT
LABEL org.opencontainers.image.title="MarketEdge" \
      org.opencontainers.image.description="Multi-tenant analytics platform" \
      org.opencontainers.image.vendor="Zebra Associates" \
      org.opencontainers.image.revision=$RELEASE_COMMIT

USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-m", "marketedge.healthcheck"]
# No shell in between, so that SIGTERM reaches gunicorn, which lets requests in flight finish (25 seconds).
CMD ["gunicorn", "-c", "marketedge/gunicorn.conf.py"]
