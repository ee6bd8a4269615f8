package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenticai/packvendor/internal/keyless"
	"github.com/greenticai/packvendor/internal/packtest"
)

var update = flag.Bool("update", false, "rewrite the files that scripts compare with")

func TestMain(m *testing.M) {
	actAsVerifier()
	testscript.Main(tests{m}, programs())
}

// tests runs this package's tests. Most of them wait for their processes, so twice the
// usual number runs at once; memory is plentiful for the garbage of hundreds of runs in
// one process.
type tests struct{ *testing.M }

func (t tests) Run() int {
	flag.Parse()
	if n := flag.Lookup("test.parallel"); n.Value.String() == n.DefValue {
		n.Value.Set(strconv.Itoa(2 * runtime.GOMAXPROCS(0)))
	}
	debug.SetGCPercent(800)
	os.Setenv("GOTMPDIR", memory()) // the scripts' directories are there
	os.Setenv("CONTAINERS_REGISTRIES_CONF", "/dev/null")
	return t.M.Run()
}

// TestScripts runs the scripts in testdata/scripts. Each has its own registry over TLS,
// at $REG, and its own cache, at $CACHE.
func TestScripts(t *testing.T) {
	t.Parallel()
	runScripts(t, allScripts(t), false)
}

// TestScriptsHTTP2 runs the scripts that make a registry misbehave, or start another one, again
// with registries that offer HTTP/2. PACKVENDOR_TEST_HTTP2 has those of TestScripts offer it.
func TestScriptsHTTP2(t *testing.T) {
	if *update {
		t.Skip("TestScripts writes what scripts compare with")
	}
	t.Parallel()
	files := slices.DeleteFunc(allScripts(t), func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && !aboutRegistry.Match(text)
	})
	runScripts(t, files, true)
}

// aboutRegistry matches a script's commands fault and registry.
var aboutRegistry = regexp.MustCompile(`(?m)^(\[.*\] )?(fault|registry) `)

func allScripts(t *testing.T) []string {
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "scripts", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	return files
}

// runScripts runs scripts whose registries offer HTTP/2 or do not.
func runScripts(t *testing.T, files []string, http2 bool) {
	goEnv := goEnvironment(t)
	testscript.Run(t, testscript.Params{
		Files:               files,
		UpdateScripts:       *update,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup:               func(env *testscript.Env) error { return setUp(env, goEnv, http2) },
		Cmds:                scriptCommands(),
		Condition:           scriptCondition,
	})
}

// root is whether the tests run as root, whom no permission stops; sigstore, whether there
// is the real program that verifies signatures without a key; unshare, whether the program
// unshare may take the network away from another one.
func scriptCondition(cond string) (bool, error) {
	switch cond {
	case "root":
		return os.Getuid() == 0, nil
	case "sigstore":
		return os.Getenv(keyless.Variable) != "", nil
	case "unshare":
		return canUnshare()
	}
	return false, nil
}

// canUnshare reports whether a program can run without a network here. In CI, on Linux, it has to:
// then no script is left out unseen.
func canUnshare() (bool, error) {
	err := exec.Command("unshare", "--user", "--map-root-user", "--net", "true").Run()
	if ci, _ := strconv.ParseBool(os.Getenv("CI")); ci && runtime.GOOS == "linux" && err != nil {
		return false, fmt.Errorf("unshare cannot take the network away: %w", err)
	}
	return err == nil, nil
}

// goEnvironment is the environment in which the go command builds without a home.
func goEnvironment(t *testing.T) []string {
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	values := strings.Fields(string(out))
	return []string{"GOCACHE=" + values[0], "GOMODCACHE=" + values[1], "GOFLAGS=-buildvcs=false", "GOPROXY=off", "GOTOOLCHAIN=local", "GOWORK=off"}
}

// REG is the host and port of the registry, CACHE the cache's folder, BIN a folder with
// packvendor alone, CHECKOUT that of packvendor's source. SSL_CERT_FILE names what
// certifies registries, XDG_CACHE_HOME a folder of the script's own, and
// CONTAINERS_REGISTRIES_CONF no mirrors. What the go command
// needs to build without a network is set, too.
//
// PACKVENDOR_TEST_CLOCK has runs take time, which they do not without. How long
// packvendor waits for registries, other processes and credential helpers is in
// PACKVENDOR_TEST_STALL, PACKVENDOR_TEST_LOCK_WAIT and PACKVENDOR_TEST_HELPER_TIMEOUT.
func setUp(env *testscript.Env, goEnv []string, http2 bool) error {
	work := env.WorkDir
	if err := addModule(work); err != nil {
		return err
	}
	reg, err := packtest.NewRegistry(packtest.Options{HTTP2: http2})
	if err != nil {
		return err
	}
	env.Defer(func() { reg.Close() })
	hints := filepath.Join(work, hintsDir)
	if err := os.Mkdir(hints, 0o777); err != nil {
		return err
	}
	env.Defer(func() {
		if err := followKept(env); err != nil {
			env.T().Fatal(err)
		}
	})
	caDir := filepath.Join(work, ".ca")
	if err := os.Mkdir(caDir, 0o777); err != nil {
		return err
	}
	ca, err := reg.CAFile(caDir)
	if err != nil {
		return err
	}
	packvendor, err := exec.LookPath("packvendor")
	if err != nil {
		return err
	}
	checkout, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return err
	}
	env.Values[registryKey{}] = &current{Registry: reg, http2: http2, all: map[string]*packtest.Registry{}}
	env.Values[signaturesKey{}] = newSignatures()
	env.Values[snapshotsKey{}] = map[string]string{}
	env.Vars = append(env.Vars, goEnv...)
	env.Vars = append(env.Vars,
		"GORACE=atexit_sleep_ms=1", // a program built with -race waits for a second when it ends
		"BIN="+filepath.Dir(packvendor),
		"CHECKOUT="+checkout,
		"REG="+reg.Host(),
		keptHints+"="+hints,
		"SSL_CERT_FILE="+ca,
		"SSL_CERT_DIR="+filepath.Join(caDir, "none"), // else each run parses the system's
		"CONTAINERS_REGISTRIES_CONF=/dev/null",
		"XDG_CACHE_HOME="+filepath.Join(work, ".cache"),
		"CACHE="+filepath.Join(work, ".cache", "greentic", "packs"),
	)
	return nil
}

// addModule makes a Go module of a script's files if they have a packs.toml and no
// go.mod: of the folder app, or else of all.
func addModule(work string) error {
	files := map[string]bool{}
	err := filepath.WalkDir(work, func(path string, _ fs.DirEntry, err error) error {
		files[filepath.Base(path)] = true
		return err
	})
	if err != nil || files["go.mod"] || !files["packs.toml"] {
		return err
	}
	module := filepath.Join(work, "app")
	if _, err := os.Stat(module); err != nil {
		module = work
	}
	return os.WriteFile(filepath.Join(module, "go.mod"), []byte(goMod), 0o666)
}
