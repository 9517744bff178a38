#!/usr/bin/env bash
# Many generated compose projects, by chance, against the real docker compose config: BR_COMPOSE_GENERATED (3000) for each version.
# time limit: 3600
set -eu
export BR_COMPOSE_GENERATED=${BR_COMPOSE_GENERATED:-3000} BR_SEED=${BR_SEED:-$RANDOM$RANDOM}
exec bash "$BR_TOP/tests/e2e/compose_config.sh"
