# Every target is one line that calls scripts/; the scripts say what they do.
.DEFAULT_GOAL := help
.PHONY: help setup demo check test soak fuzz bench lint docs build install clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /make \1	/p' $(MAKEFILE_LIST) | expand -t 14

demo: ## set up, build, and train on a real stream, naively and with replay (about four minutes after the build)
	@scripts/demo

check: ## set up, lint, build debug, run the unit tests: the daily round, a few minutes
	@scripts/check

test: ## set up, lint, build without warnings, run all tests
	@scripts/test

soak: ## kill 200 runs at random instants; power cuts, full and broken disks at every call (an hour or two)
	@scripts/soak

fuzz: ## broken files of each format for its reader, under the address sanitizer (an hour)
	@scripts/fuzz

bench: ## measure against the peers, side by side
	@scripts/bench

lint: ## formatting, import direction, file lengths, shell scripts
	@scripts/lint

docs: ## build the documentation into .build/docs, the man pages into .build/man
	@scripts/docs

setup: ## only make this checkout ready to build
	@scripts/setup

build: setup ## set up and build the release program
	@scripts/release --product onepass

install: ## install the program, its libraries, man pages and completions into PREFIX (default /usr/local)
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" scripts/install

clean: ## remove what was built (downloads stay in the cache)
	@rm -rf .build
