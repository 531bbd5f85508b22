# The prerequisites are Go and Node.js (npm) alone. Everything else comes
# through the Go module proxy and npm.

# The Lambda binaries are built alike for this machine and for the zip.
LAMBDA_FLAGS := -tags lambda.norpc -trimpath -buildvcs=false -ldflags='-s -w'
STATICCHECK  := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK  := golang.org/x/vuln/cmd/govulncheck@v1.9.0
# Tests that need more than Go and Node.js, or more time, stand behind these.
TEST_TAGS    := awscli,deploy,serverless,soak,terraform
FUZZTIME     ?= 30s
NODE_STAMPS  := local/node_modules/.stamp testdata/record/node_modules/.stamp deploy/node_modules/.stamp
CONFIG       ?= deploy/authorizer.yaml
SAM_FLAGS    ?=

.PHONY: run test race build package deploy setup bench lint lint-deploy lint-templates lint-zip lint-terraform lint-serverless vulncheck fuzz soak clean

## run: build and start everything on this machine
run: build local/node_modules/.stamp
	@build/local

## build: binaries for this machine; GOARCH=arm64 make build cross-compiles
build:
	@CGO_ENABLED=0 go build $(LAMBDA_FLAGS) -o build/authorizer/bootstrap ./cmd/authorizer
	@CGO_ENABLED=0 go build $(LAMBDA_FLAGS) -o build/items/bootstrap ./cmd/items
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -o build/authctl ./cmd/authctl
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -o build/local ./cmd/local

## package: the zips for Lambda, the same bytes each time; CONFIG=file goes in
package:
	@for c in authorizer items rotate; do \
		GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build $(LAMBDA_FLAGS) -o build/linux-arm64/$$c/bootstrap ./cmd/$$c || exit 1; \
	done
	@go run ./cmd/package -o build/authorizer.zip -config $(CONFIG) build/linux-arm64/authorizer/bootstrap
	@go run ./cmd/package -o build/items.zip build/linux-arm64/items/bootstrap
	@go run ./cmd/package -o build/rotate.zip build/linux-arm64/rotate/bootstrap

## deploy: sam deploy of deploy/sam; needs the SAM CLI and AWS credentials
deploy: package
	cd deploy/sam && sam deploy $(SAM_FLAGS)

## setup: the npm packages that the tests and the local stack run
setup: $(NODE_STAMPS)

%/node_modules/.stamp: %/package.json %/package-lock.json
	@npm ci --prefix $* --no-audit --no-fund --loglevel=error
	@touch $@

## test: all tests, against real servers
test: setup
	go test -timeout 20m ./...

race: setup
	go test -race -timeout 20m ./...

## bench: token verification beside its peers, as ratios
bench:
	@cd bench && go run .

## lint: gofmt, vet, staticcheck
lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt'ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet -tags $(TEST_TAGS) ./...
	go run $(STATICCHECK) -tags $(TEST_TAGS) ./...
	cd bench && go vet ./... && go run $(STATICCHECK) ./...

## lint-deploy: templates, permissions, runbook, zips and the Terraform module
## against the code, offline
lint-deploy: lint-templates lint-zip lint-terraform lint-serverless

# make test does this too.
lint-templates: $(NODE_STAMPS)
	go test -count=1 ./deploy ./cmd/package/...

# Two cross-compilations: a minute where nothing is compiled yet.
lint-zip:
	go test -count=1 -tags deploy -run Bootstrap ./cmd/package

# Terraform must be on the PATH: deploy/terraform/README.md, "Check it".
lint-terraform: local/node_modules/.stamp
	go test -count=1 -timeout 30m -tags terraform ./deploy/terraform/check

# The packager is 270 MB of npm packages: a minute and a half.
lint-serverless: package deploy/packager/node_modules/.stamp
	go test -count=1 -tags serverless -run ServerlessPackages ./deploy

## vulncheck: known vulnerabilities; needs the Go vulnerability database
vulncheck:
	go run $(GOVULNCHECK) ./...

## fuzz: every fuzz target for FUZZTIME each
fuzz:
	go test ./policy -count=1 -timeout 60m -run 'CachedDocumentNever|UncachedDocument|MatchingAgrees' -rapid.checks 100000
	@for pkg in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			echo "== $$pkg $$target"; \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
		done; \
	done

## soak: the long runs that do not belong into make test
soak: setup build
	go test -tags soak ./revocation -count=1 -run Soak -v -timeout 60m
	go test ./cmd/authctl -count=1 -run BulkOfMany -v -timeout 60m -args -bulk-lines 100000
	go test ./items -count=1 -run PagingWhile -timeout 30m -args -paging 10000
	local/soak

clean:
	rm -rf build deploy/cdk/build local/node_modules testdata/record/node_modules deploy/packager/node_modules deploy/node_modules
