module github.com/greenticai/packvendor/bench

go 1.25.0

require (
	github.com/greenticai/packvendor v0.0.0
	golang.org/x/sync v0.22.0
)

require (
	github.com/Masterminds/semver/v3 v3.5.0 // indirect
	github.com/fxamacker/cbor/v2 v2.10.0 // indirect
	github.com/google/go-containerregistry v0.22.1 // indirect
	github.com/x448/float16 v0.8.4 // indirect
)

replace github.com/greenticai/packvendor => ../
