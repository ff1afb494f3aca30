# Usage: `make help`. Needs Python >= 3.11, make and git; everything else is installed into .venv.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# A venv script starts by an absolute path, the modules do not: `-m` works wherever the clone is.
PY := .venv/bin/python
TREE := build/collections/ansible_collections/hyperv/avma
VERSION := $(shell sed -n 's/^version: //p' galaxy.yml)
TARBALL := dist/hyperv-avma-$(VERSION).tar.gz

# Absolute, since Ansible resolves relative paths against other folders than this one.
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/build/collections
export ANSIBLE_HOME := $(CURDIR)/build/ansible
export ANSIBLE_LOCALHOST_WARNING := False
export ANSIBLE_INVENTORY_UNPARSED_WARNING := False
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help
help: ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' Makefile | while IFS=$$'\t' read -r n d; do printf '  make %-12s %s\n' "$$n" "$$d"; done

.PHONY: venv
venv: .venv/.complete ## Create .venv with all tools (about 10 s)

.venv/.complete: requirements-dev.txt requirements-test.txt
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Creating .venv with $$("$$python" --version)"; \
	    "$$python" -m venv .venv; \
	    $(PY) -m pip install --quiet uv; \
	    $(PY) -m uv pip install --quiet --python $(PY) -r requirements-dev.txt; \
	    touch $@; exit 0; \
	  fi; \
	done; \
	echo "Python 3.11 or newer is needed, and none of python3, python3.14 ... python3.11 is one. Name yours: make PYTHON=/path/to/python3" >&2; \
	exit 1

.PHONY: collection
collection: $(TREE) ## Make the clone resolvable as hyperv.avma under build/collections

$(TREE):
	@mkdir -p $(@D)
	@ln -s ../../../.. $@

.PHONY: test
test: venv collection ## All tests: unit and integration
	$(PY) -m pytest -n 2

.PHONY: unit
unit: venv collection ## Unit tests only
	$(PY) -m pytest -n 2 tests/unit

.PHONY: integration
integration: venv collection ## Playbooks against the lab
	$(PY) -m pytest -n 2 tests/integration

CONNECTIONS := winrm-basic-tls winrm-certificate psrp-negotiate psrp-basic-tls ssh-cmd ssh-powershell powershell-direct

.PHONY: connections
connections: venv collection ## Playbooks against the lab, over every other connection than the NTLM of `make integration`
	@for connection in $(CONNECTIONS); do \
	  echo "== $$connection"; \
	  $(PY) -m pytest -n 2 tests/integration --connection=$$connection; \
	done

# Added to what the tests see, and to nothing else.
KERBEROS := build/kerberos
# CI gives fewer, as its time is limited.
KERBEROS_TESTS := tests/integration
CREDSSP_TESTS := tests/integration/test_guest_key.py tests/integration/test_host_key.py

.PHONY: kerberos
kerberos: venv collection ## Kerberos and CredSSP: the playbooks and all that can fail, with a KDC of its own, and a Samba AD where there is one
	$(PY) tools/kerberos.py
	$(PY) -m uv pip install --quiet --python $(PY) --no-deps --target $(KERBEROS) -r requirements-kerberos.txt
	PYTHONPATH=$(CURDIR)/$(KERBEROS) $(PY) -m pytest -n 2 tests/domain
	@for run in "winrm-kerberos $(KERBEROS_TESTS)" "psrp-kerberos $(KERBEROS_TESTS)" \
	    "winrm-credssp $(CREDSSP_TESTS)" "psrp-credssp $(CREDSSP_TESTS)"; do \
	  set -- $$run; \
	  echo "== $$1"; \
	  PYTHONPATH=$(CURDIR)/$(KERBEROS) $(PY) -m pytest -n 2 --connection=$$1 $${@:2}; \
	done

.PHONY: molecule
molecule: venv collection ## The molecule scenarios, each on a lab of its own
	$(PY) -m molecule test --all

.PHONY: soak
soak: venv collection ## Hard use: faults at every request, two controllers at once, 1,000 guests, fuzzed input
	$(PY) -m pytest -n 2 --dist worksteal tests/soak tests/fuzz

.PHONY: fuzz
fuzz: venv collection ## Coverage-guided fuzzing with atheris, where that installs; FUZZ_SECONDS (20) for each target
	$(PY) -m uv pip install --quiet --python $(PY) --target build/fuzz/atheris 'atheris>=3,<4'
	PYTHONPATH=tests:build/fuzz/atheris $(PY) -m fuzz $(or $(FUZZ_SECONDS),20)

.PHONY: mutation
mutation: venv collection ## Break the code in a dozen places, and see a test fail for each
	$(PY) tests/mutation.py

.PHONY: browser
browser: venv collection ## The report's page in a headless Chromium, which must be there; pictures in build/screenshots
	$(PY) -m pytest -n 2 tests/browser

.PHONY: picture
picture: venv collection ## Renew the README's picture of the report, from simulated machines with problems
	$(PY) -m pytest tests/browser/test_demo_report.py -k picture
	cp build/screenshots/test_picture_of_the_readme.png docs/images/report.png

.PHONY: fresh
fresh: venv collection ## docs/getting-started.md typed on a freshly installed Debian, a folder made by debootstrap; as root
	@test "$$(id -u)" = 0 && command -v debootstrap > /dev/null || { echo "make fresh needs to be root, and Debian's package debootstrap." >&2; exit 1; }
	$(PY) -m pytest tests/fresh

# In an environment of its own: galaxy-importer holds back a library that nox needs newer.
NOX := $(PY) -m uv tool run 'nox>=2025.2,<2027' --no-error-on-missing-interpreters

.PHONY: matrix
matrix: build collection ## All tests on every supported ansible-core
	$(NOX) --tags promised

# What is left to `make matrix`: what does not depend on ansible-core (the lab, the guides, what is decided for each machine), and
# conversions, which take minutes.
LEFT_OUT := $(addprefix --ignore tests/,unit/lab $(addsuffix .py,$(addprefix integration/test_,docs guest_matrix guest_faults \
  guest_key guest_edition host_key host_azure_local leave_avma event_info vm_failover kvp)))

.PHONY: matrix-ends
matrix-ends: build collection ## The same on the oldest and the newest, without what hardly depends on it
	$(NOX) --tags ends -- tests/unit tests/integration $(LEFT_OUT)

.PHONY: matrix-one
matrix-one: build collection ## The same on one: CORE=2.16, or devel for its development branch
	$(NOX) --session 'tests($(CORE))'

.PHONY: demo
demo: venv collection ## The playbooks at work on simulated machines (about 10 s)
	@PYTHONPATH=tests $(PY) -m demo

TOPOLOGY := tests/lab/topologies/demo.yml

.PHONY: lab
lab: venv collection ## Simulated machines to try playbooks on; ends with Ctrl-C. TOPOLOGY=file for others than the demo's
	@PYTHONPATH=tests $(PY) -m lab up $(TOPOLOGY) --directory build/lab --guide

.PHONY: bench
bench: venv collection ## This collection against what a user would run instead; writes docs/benchmarks.md (5 to 10 min)
	@PYTHONPATH=tests $(PY) -m bench

.PHONY: lint
lint: ruff mypy yamllint ansible-lint collection-docs changelog pages-current links licences workflows execution-environment sanity importer ## All static checks, those of certified content included

.PHONY: ruff
ruff: venv
	$(PY) -m ruff check
	$(PY) -m ruff format --check

.PHONY: mypy
mypy: venv collection
	$(PY) -m mypy -p ansible_collections.hyperv.avma.plugins -p lab
	$(PY) -m mypy tools

.PHONY: yamllint
yamllint: venv
	$(PY) -m yamllint --strict .

.PHONY: ansible-lint
ansible-lint: venv collection
	ansible-lint

.PHONY: collection-docs
collection-docs: rst collection
	antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=all --skip-rstcheck .

.PHONY: changelog
changelog: venv
	antsibull-changelog lint

.PHONY: fragment
fragment: venv
	$(PY) tools/fragment.py $(BASE)

.PHONY: pages
pages: venv collection ## Write the pages of docs/ that are made from the code
	PYTHONPATH=build/collections $(PY) tools/pages.py

.PHONY: pages-current
pages-current: venv collection
	PYTHONPATH=build/collections $(PY) tools/pages.py --check

.PHONY: links
links: build
	@rm -rf build/unpacked && mkdir -p build/unpacked && tar -xzf $(TARBALL) -C build/unpacked
	$(PY) tools/links.py . build/unpacked

.PHONY: licences
licences: venv
	$(PY) -m reuse lint --quiet || $(PY) -m reuse lint

.PHONY: workflows
workflows: venv
	$(PY) -m check_jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(PY) -m check_jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml

.PHONY: execution-environment
execution-environment: venv collection
	ansible-builder introspect build/collections | grep 'pywinrm.*from collection hyperv.avma'

.PHONY: sanity
sanity: build ## ansible-test sanity on the tarball, without a container
	$(PY) tools/sanity.py $(TARBALL)

.PHONY: importer
importer: build
	@# It exits 0 with warnings, too.
	cd dist && GALAXY_IMPORTER_CHECK_REQUIRED_TAGS=true ../$(PY) -m galaxy_importer.main $(notdir $(TARBALL)) | tee importer.log
	! grep -E '^(WARNING|ERROR)' dist/importer.log

.PHONY: docs
docs: venv collection ## The user documentation, in build/docs/html (about 15 s)
	PYTHONPATH=build/collections $(PY) tools/docs.py

.PHONY: rst
rst: venv
	$(PY) tools/rst.py

.PHONY: build
build: rst ## Build the collection's tarball into dist/
	@rm -rf dist
	ansible-galaxy collection build --force --output-path dist

.PHONY: publish
publish: build ## Publish the tarball to the configured Galaxy server; TAG must be its version
	@test "$(TAG)" = "$(VERSION)" || { echo "The tag is $(TAG), and galaxy.yml says $(VERSION)." >&2; exit 1; }
	ansible-galaxy collection publish $(TARBALL)

.PHONY: clean
clean: ## Remove everything that make created
	rm -rf .venv build dist .nox .mypy_cache .ruff_cache .pytest_cache .hypothesis
