# Every target is one line that calls scripts/; the scripts say what they do.
.DEFAULT_GOAL := help
.PHONY: help setup demo test fuzz soak bench lint docs build clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /make \1	/p' $(MAKEFILE_LIST) | expand -t 14

demo: ## set up, build, and train on a real stream, naively and with replay (about four minutes after the build)
	@scripts/demo

test: ## set up, lint, build without warnings, run all tests
	@scripts/test

fuzz: ## a hundred thousand broken files for each reader, under the address sanitizer (builds all of it once more)
	@scripts/fuzz

soak: ## kill 200 runs at random instants; power cuts, full and broken disks at every call (an hour or two)
	@scripts/soak

bench: ## measure against the peers, side by side
	@scripts/bench

lint: ## formatting, import direction, file lengths, shell scripts
	@scripts/lint

docs: ## build the documentation into .build/docs
	@scripts/docs

setup: ## only make this checkout ready to build
	@scripts/setup

build: setup ## set up and build the release program
	@swift build -c release --product onepass

clean: ## remove what was built (downloads stay in the cache)
	@rm -rf .build
