#!/usr/bin/env bash
# The long form of the crash tests, for a night: a million different disks of the programs in tests/crash, as many of
# pheap's own simulation, 1,000 rounds of kill -9, 100,000 damages, and random cases for what is fuzzed.
set -euo pipefail
cd "$(dirname "$0")/../.."
PGO_CRASH_SCALE=20 PGO_CRASH_STATES=250000 cargo test --release --test crash programs -- --nocapture
cargo test --release -p pheap --test crash million -- --ignored --nocapture
PGO_KILL_ROUNDS=1000 cargo test --release --test kill
PHEAP_DAMAGES=100000 cargo test --release -p pheap --test damage -- --nocapture
PGO_FUZZ_CASES=50000 PGO_FUZZ_SEED=$RANDOM cargo test --release --test fuzz
