package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
)

// A barrier keeps back the registry's answers to requests with a part in their path:
// the second half of a blob, any other answer whole.
type barrier struct {
	part string
	open chan struct{}
}

func newBarrier(part string) barrier { return barrier{part, make(chan struct{})} }

// lift releases the present and all later answers.
func (br barrier) lift() { close(br.open) }

func (br barrier) wait(r *http.Request) {
	select {
	case <-br.open:
	case <-r.Context().Done(): // the client has given up
	}
}

// bar puts barriers before the registry.
func (b *fixture) bar(barriers ...barrier) {
	blobs := map[string][]byte{}
	for _, pushed := range b.pushed {
		blobs[string(pushed.Layers[0])] = b.packs[pushed.ManifestDigest]
	}
	b.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		data := blobs[filepath.Base(r.URL.Path)]
		for _, br := range barriers {
			if strings.Contains(r.URL.Path, br.part) && data == nil {
				br.wait(r)
			} else if strings.Contains(r.URL.Path, br.part) {
				w.Header().Set("Content-Length", strconv.Itoa(len(data)))
				w.Write(data[:len(data)/2])
				http.NewResponseController(w).Flush()
				br.wait(r)
				w.Write(data[len(data)/2:])
				return true
			}
		}
		return false
	})
}

// lockedText is the line of a run that locks a pack, of that tag or "", for the first time.
func lockedText(name, tag, reference string) string {
	_, hex, _ := strings.Cut(reference, "@sha256:")
	return strings.Join(strings.Fields(fmt.Sprintf("%s locked %s sha256:%s", name, tag, hex[:12])), " ")
}

// twoPacks returns a project with packs of one and of two megabytes. The smaller one's
// tag has moved, and moved is the warning; locked names both.
func (b *fixture) twoPacks() (dir, moved, locked string) {
	b.Helper()
	b.push("greentic/redis", "1.0.0", 1_000_000)
	b.push("greentic/redis", "1.0.1", 1_000_000)
	slack := b.push("greentic/slack", "1.0.0", 2_000_000)
	pinned := b.pushed["greentic/redis:1.0.0"].ManifestDigest
	tagged := b.pushed["greentic/redis:1.0.1"].ManifestDigest
	b.must(b.reg.Tag("greentic/redis", "stable", tagged))
	redis := b.reg.Host() + "/greentic/redis:stable@" + string(pinned)
	dir = b.TempDir()
	b.project(fmt.Sprintf("redis = %q", redis), fmt.Sprintf("slack = %q", slack)).write(b, dir)
	return dir, fmt.Sprintf("packvendor: warning: redis: the tag of %s no longer names its digest\n        pinned: %s\n        tag:    %s\n", redis, pinned, tagged),
		lockedText("redis", "stable", redis) + "\n" + lockedText("slack", "", slack) + "\n"
}

// Each phase shows a line while nothing moves, on terminals of two widths. Messages are
// above the line, and in the end the line is gone.
func TestProgressLines(t *testing.T) {
	for columns, want := range map[int]struct{ resolving, fetching string }{
		80: {
			"resolving 0/2 packs   0% [                    ]\n",
			"fetching 1/2 packs  66% [============>       ] 2.00/3.00 MB\n",
		},
		40: {
			"resolving 0/2 packs   0% [          ]\n",
			"fetching 1/2  66% [=====>    ]\n",
		},
	} {
		t.Run(strconv.Itoa(columns), func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			dir, moved, locked := b.twoPacks()
			manifests, blob := newBarrier("/manifests/"), newBarrier("/greentic/slack/blobs/")
			b.bar(manifests, blob)
			term := b.newTerminal(columns, dir, "packvendor")
			term.await(want.resolving, nil)
			manifests.lift()
			term.await(moved+want.fetching, nil)
			blob.lift()
			term.await(moved+locked+"packvendor: 2 packs added; 3.0 MB downloaded; 0.0s\nexit 0\n", nil)
		})
	}
}

// Each of several projects has its line, after the output about those before it.
func TestProgressOfSeveral(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	dir, moved, locked := b.twoPacks()
	b.must(os.Mkdir(filepath.Join(dir, "first"), 0o777))
	tree{"first/packs.toml": "[packs]\n"}.write(b, dir)
	moved = strings.Replace(moved, "warning: ", "warning: packs.toml: ", 1)
	manifests, blob := newBarrier("/manifests/"), newBarrier("/greentic/slack/blobs/")
	b.bar(manifests, blob)
	term := b.newTerminal(80, dir, "packvendor -f first/packs.toml -f packs.toml")
	first := "packvendor: first/packs.toml: wrote first/packs_gen.go, first/packs.lock; 0.0s\n"
	term.await(first+"resolving 0/2 packs   0% [                    ]\n", nil)
	manifests.lift()
	term.await(first+moved+"fetching 1/2 packs  66% [============>       ] 2.00/3.00 MB\n", nil)
	blob.lift()
	term.await(first+moved+"packs.toml:\n"+locked+"packvendor: packs.toml: 2 packs added; 3.0 MB downloaded; 0.0s\nexit 0\n", nil)
}

// A reference without a project is one pack, without a count.
func TestProgressOfOne(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	ref := b.push("greentic/slack", "1.0.0", 2_000_000)
	manifests, blob := newBarrier("/manifests/"), newBarrier("/blobs/")
	b.bar(manifests, blob)
	term := b.newTerminal(80, b.TempDir(), "packvendor fetch -o - "+ref+" >slack.gtpack")
	term.await("resolving\n", nil)
	manifests.lift()
	term.await("fetching  49% [========>           ] 1.00/2.00 MB\n", nil)
	blob.lift()
	term.await("exit 0\n", nil)
}

func TestProgressOfVerify(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	dir, _, _ := b.twoPacks()
	b.mustRun(b.command(dir, b.TempDir()))
	manifests := newBarrier("/manifests/")
	b.bar(manifests)
	term := b.newTerminal(80, dir, "packvendor verify --remote")
	term.await("verifying 0/2 packs   0% [                    ]\n", nil)
	manifests.lift()
	term.await("packvendor: what the Go toolchain embeds was not checked: exec: \"go\": executable file not found in $PATH\n2 of 2 packs verified\nexit 0\n", nil)
}

// During a download the line shows speed and remaining time.
func TestProgressMoves(t *testing.T) {
	const size, piece = 4_000_000, 20_000
	amounts := regexp.MustCompile(` +\d+% \[=*>? *\]`)
	speed := regexp.MustCompile(`\d[.\d]*( [kM]B)?/4\.00 MB, \d[.\d]* [kM]B/s, `)
	left := regexp.MustCompile(`\d+s left`)
	for columns, want := range map[int]string{
		80: "fetching BAR BYTES, SPEED, LEFT\n",
		40: "fetching BAR LEFT\n",
	} {
		t.Run(strconv.Itoa(columns), func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			ref := b.push("greentic/slack", "1.0.0", size)
			data := b.packs[b.pushed["greentic/slack:1.0.0"].ManifestDigest]
			more := make(chan bool)
			b.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.Contains(r.URL.Path, "/blobs/") {
					return false
				}
				w.Header().Set("Content-Length", strconv.Itoa(len(data)))
				for piece := range slices.Chunk(data, piece) {
					select {
					case <-more:
					case <-r.Context().Done():
					}
					w.Write(piece)
					http.NewResponseController(w).Flush()
				}
				return true
			})
			term := b.newTerminal(columns, b.TempDir(), "PACKVENDOR_TEST_CLOCK=real packvendor fetch "+ref)
			term.await(want, func(screen string) string {
				select { // the screen changes
				case more <- true:
				default:
				}
				screen = amounts.ReplaceAllString(screen, " BAR")
				return left.ReplaceAllString(speed.ReplaceAllString(screen, "BYTES, SPEED, "), "LEFT")
			})
		})
	}
}

// Ctrl-C ends a stalled download at once, and leaves no line behind.
func TestProgressInterrupted(t *testing.T) {
	for _, test := range []struct {
		name, part, want string
	}{
		{"resolving", "/manifests/", "resolving 0/2 packs   0% [                    ]\n"},
		{"fetching", "/greentic/slack/blobs/", "fetching 1/2 packs  66% [============>       ] 2.00/3.00 MB\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			dir, moved, _ := b.twoPacks()
			b.bar(newBarrier(test.part))
			term := b.newTerminal(80, dir, "packvendor")
			if test.name == "resolving" {
				moved = ""
			}
			term.await(moved+test.want, nil)
			start := time.Now()
			term.press("C-c")
			term.await(moved+"packvendor: error: interrupted\nexit 130\n", nil)
			if took := time.Since(start); took > patience/5 {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// No byte of a line goes to a pipe, to a terminal without cursor movement, or into
// quiet or JSON output.
func TestNoProgress(t *testing.T) {
	const (
		summary = "packvendor: 1 pack added; 2.0 MB downloaded; 0.0s\r\n"
		locked  = "LOCKED\r\n"
	)
	for command, want := range map[string]string{
		"packvendor -q":                    "exit 0\r\n",
		"packvendor --json >document":      "exit 0\r\n",
		"TERM=dumb packvendor":             locked + summary + "exit 0\r\n",
		"packvendor 2>stderr; cat stderr":  locked + summary + "exit 0\r\n",
		"NO_COLOR=1 packvendor -f missing": "packvendor: error: missing: no such file\r\npackvendor: hint: packvendor init -f missing\r\nexit 2\r\n",
	} {
		t.Run(command, func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			dir := b.TempDir()
			slack := b.push("greentic/slack", "1.0.0", 2_000_000)
			b.project(fmt.Sprintf("slack = %q", slack)).write(b, dir)
			want := strings.Replace(want, "LOCKED", lockedText("slack", "", slack), 1)
			manifests := newBarrier("/manifests/")
			b.bar(manifests)
			got := b.sent(dir, command, func() {
				<-time.After(600 * time.Millisecond) // long enough for a line to be drawn
				manifests.lift()
			})
			if got != want {
				t.Errorf("the terminal was sent %q, want %q", got, want)
			}
		})
	}
}

// The first word of a line has a colour, if the user wants colours.
func TestColours(t *testing.T) {
	const (
		plain    = "packvendor: error: packs.toml: no such file\r\npackvendor: hint: packvendor init\r\n"
		coloured = "packvendor: \x1b[1;31merror:\x1b[0m packs.toml: no such file\r\npackvendor: \x1b[1;36mhint:\x1b[0m packvendor init\r\n"
	)
	for command, want := range map[string]string{
		"packvendor":                  coloured + "exit 2\r\n",
		"NO_COLOR= packvendor":        coloured + "exit 2\r\n",
		"NO_COLOR=1 packvendor":       plain + "exit 2\r\n",
		"TERM=dumb packvendor":        plain + "exit 2\r\n",
		"packvendor 2>err; cat err":   plain + "exit 0\r\n",
		"packvendor >/dev/null":       coloured + "exit 2\r\n",
		"packvendor --json 2>&1 >doc": "exit 2\r\n",
	} {
		t.Run(command, func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			dir := b.TempDir()
			tree{"go.mod": goMod}.write(b, dir)
			if got := b.sent(dir, command, func() {}); got != want {
				t.Errorf("the terminal was sent %q, want %q", got, want)
			}
		})
	}
}
