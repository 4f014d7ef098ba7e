# Each target calls one script in scripts/; the scripts document themselves.
.DEFAULT_GOAL := help
.PHONY: help setup demo check test soak fuzz bench lint docs build service install clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /make \1	/p' $(MAKEFILE_LIST) | expand -t 14

demo: ## set up, build, and train on Fashion-MNIST, naively and with replay (about four minutes after the build)
	@scripts/demo

check: ## set up, lint, build debug, run the unit tests (a few minutes)
	@scripts/check

test: ## set up, lint, build the release without warnings, run all tests on it
	@scripts/test

soak: ## kill 200 runs of 18 configurations at random times; inject power cuts, full disks and I/O errors at every call (some hours)
	@scripts/soak

fuzz: ## fuzz every reader under AddressSanitizer (one hour)
	@scripts/fuzz

bench: ## measure OnePass and its peers in alternation (an hour)
	@scripts/bench

lint: ## check formatting, module dependencies, file lengths and shell scripts
	@scripts/lint

docs: ## build the documentation into .build/docs and the man pages into .build/man
	@scripts/docs

setup: ## prepare this checkout for building
	@scripts/setup

build: setup ## set up and build the release program
	@scripts/release --product onepass

service: setup ## build onepass-serve, the HTTP service, beside the release program (some minutes more the first time)
	@ONEPASS_SERVICE=1 scripts/release --product onepass-serve
	@ONEPASS_SERVICE=1 scripts/release --product onepass

install: ## install the program, its libraries, man pages and completions into PREFIX (default /usr/local)
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" scripts/install

clean: ## remove build products (downloads remain in the cache)
	@rm -rf .build
