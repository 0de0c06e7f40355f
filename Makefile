# make run     set up what is missing, build, start the demo on SQLite, print address and log-ins
# make test    set up what is missing, run every test
# make check   format, lints, licences, fast tests
# make console rebuild the web console's bundle

.PHONY: run test check console

run:
	@scripts/setup run
	cargo build --release --locked
	@target=$${CARGO_TARGET_DIR:-target}; exec $$target/release/cordboard demo

test:
	@scripts/setup test
	scripts/test

check:
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check; else echo "cargo-deny is not installed: licences not checked (cargo install cargo-deny)"; fi
	cargo test --lib --test tidy

console:
	npm --prefix console ci
	npm --prefix console run build
