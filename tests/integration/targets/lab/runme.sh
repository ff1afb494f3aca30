#!/usr/bin/env bash
# The playbooks site and verify on simulated machines, for who runs `ansible-test integration`; `make integration` runs all there is.
set -eux -o pipefail
# It runs a copy of this folder alone.
tests=${OUTPUT_DIR%%/tests/output/*}/tests
lab() { PYTHONPATH="$tests:${PYTHONPATH:-}" python -m lab "$@" --directory "$OUTPUT_DIR/lab"; }
lab up "$tests/lab/topologies/demo.yml" --detach
trap 'lab down' EXIT
inventory=$OUTPUT_DIR/lab/inventory/hosts.yml
ansible-playbook -i "$inventory" hyperv.avma.site "$@" | tee "$OUTPUT_DIR/first"
ansible-playbook -i "$inventory" hyperv.avma.site "$@" | tee "$OUTPUT_DIR/again"
grep -q 'changed=1' "$OUTPUT_DIR/first"
if grep 'changed=[1-9]' "$OUTPUT_DIR/again"; then exit 1; fi
ansible-playbook -i "$inventory" hyperv.avma.verify "$@"
