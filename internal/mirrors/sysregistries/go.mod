module github.com/greenticai/packvendor/internal/mirrors/sysregistries

go 1.25.7

require (
	github.com/BurntSushi/toml v1.6.0
	github.com/greenticai/packvendor v0.0.0
	go.podman.io/image/v5 v5.41.2 // 5.42 needs Go 1.26
)

require (
	github.com/docker/go-units v0.5.0 // indirect
	github.com/moby/sys/capability v0.4.0 // indirect
	github.com/moby/sys/mountinfo v0.7.2 // indirect
	github.com/moby/sys/user v0.4.1 // indirect
	github.com/opencontainers/go-digest v1.0.0 // indirect
	github.com/opencontainers/image-spec v1.1.1 // indirect
	github.com/opencontainers/runtime-spec v1.3.0 // indirect
	github.com/sirupsen/logrus v1.9.4 // indirect
	go.podman.io/storage v1.64.1 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace github.com/greenticai/packvendor => ../../../
