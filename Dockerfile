# Wraps the two commands of the README and adds nothing: `make sim` makes the image, `make test` is
# what it runs.
#   docker build -t toreq-hw . && docker run --rm toreq-hw
FROM python:3.12-slim-bookworm AS tools
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make g++ \
    && rm -rf /var/lib/apt/lists/*

FROM tools AS sim
WORKDIR /toreq-hw
COPY . .
RUN make sim
CMD ["make", "test"]
