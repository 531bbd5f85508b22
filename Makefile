# The prerequisites are Go and Node.js (npm) alone. Everything else comes
# through the Go module proxy and npm.

# The Lambda binaries are built alike for this machine and for the zip.
LAMBDA_FLAGS := -tags lambda.norpc -trimpath -buildvcs=false -ldflags='-s -w'
STATICCHECK  := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK  := golang.org/x/vuln/cmd/govulncheck@v1.9.0
FUZZTIME     ?= 30s
NODE_STAMPS  := local/node_modules/.stamp testdata/record/node_modules/.stamp

.PHONY: run test race build setup bench lint vulncheck fuzz clean

## run: build and start everything on this machine
run: build local/node_modules/.stamp
	@build/local

## build: binaries for this machine; GOARCH=arm64 make build cross-compiles
build:
	@CGO_ENABLED=0 go build $(LAMBDA_FLAGS) -o build/authorizer/bootstrap ./cmd/authorizer
	@CGO_ENABLED=0 go build $(LAMBDA_FLAGS) -o build/items/bootstrap ./cmd/items
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -o build/authctl ./cmd/authctl
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -o build/local ./cmd/local

## setup: the npm packages that the tests and the local stack run
setup: $(NODE_STAMPS)

%/node_modules/.stamp: %/package.json %/package-lock.json
	@npm ci --prefix $* --no-audit --no-fund --loglevel=error
	@touch $@

## test: all tests, against real servers
test: setup
	go test ./...

race: setup
	go test -race ./...

## bench: token verification beside its peers, as ratios
bench:
	@cd bench && go run .

## lint: gofmt, vet, staticcheck
lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt'ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	cd bench && go vet ./... && go run $(STATICCHECK) ./...

## vulncheck: known vulnerabilities; needs the Go vulnerability database
vulncheck:
	go run $(GOVULNCHECK) ./...

## fuzz: every fuzz target for FUZZTIME each
fuzz:
	@for pkg in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			echo "== $$pkg $$target"; \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
		done; \
	done

clean:
	rm -rf build local/node_modules testdata/record/node_modules
