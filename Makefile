# make run     set up what is missing, build, start the demo on SQLite, print address and log-ins
# make test    set up what is missing, run every test
# make check   format, lints, licences, fast tests
# make torture a million mutated SIP messages through the agent (make test: 100,000)
# make console rebuild the web console's bundle

.PHONY: run test check torture console

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

torture:
	CORDBOARD_LONG=1 cargo test --test mutations -- --nocapture

console:
	npm --prefix console ci
	npm --prefix console run build
