package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
)

// A bundleTest is a project with two packs in the real registry server, its bundle as a folder
// and as an archive, and another server. One of the packs is in an image index.
type bundleTest struct {
	*signedProject
	digests         map[string]string // that the references have, by the name of the pack
	folder, archive string
	other           string // the host of the other server
}

// bundlePacks are the packs of the test, with their repositories.
var bundlePacks = map[string]string{"slack": "acme/messaging/slack", "redis": "acme/redis"}

func newBundleTest(t *testing.T) *bundleTest {
	t.Helper()
	b := &bundleTest{signedProject: newSignedProject(t, plainDistribution(t)), digests: map[string]string{}}
	b.other = plainDistribution(t)
	text := fmt.Sprintf("insecure_registries = [%q]\n\n[packs]\n", b.host)
	for name, repository := range bundlePacks {
		file := filepath.Join(t.TempDir(), name+".gtpack")
		if err := os.WriteFile(file, packtest.Zip("acme."+name, "1.0.0", 5000), 0o666); err != nil {
			t.Fatal(err)
		}
		b.digests[name] = b.push(repository, file)
		if name == "redis" {
			b.digests[name] = b.index(repository)
		}
		text += fmt.Sprintf("%s = \"%s/%s:1.0.0@%s\"\n", name, b.host, repository, b.digests[name])
	}
	b.write("packs.toml", text)
	b.ends(0, nil)
	b.folder, b.archive = filepath.Join(t.TempDir(), "bundle"), filepath.Join(t.TempDir(), "bundle.tar")
	for _, output := range []string{b.folder, b.archive} {
		b.ends(0, []string{"2 packs exported"}, "export", "-o", output)
	}
	return b
}

// index puts the pack of a repository into an image index under the same tag, and returns the
// digest of the index. Its entry has no artifactType, as `oras manifest index create` would write
// it: skopeo 1.9 drops that, so that the index gets another digest.
func (b *bundleTest) index(repository string) string {
	b.t.Helper()
	name := b.host + "/" + repository
	var manifest descriptorJSON
	if err := json.Unmarshal([]byte(b.tool("oras", "manifest", "fetch", "--plain-http", "--descriptor", name+":1.0.0")), &manifest); err != nil {
		b.t.Fatal(err)
	}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": indexType, "manifests": []descriptorJSON{manifest}})
	if err != nil {
		b.t.Fatal(err)
	}
	file := filepath.Join(b.t.TempDir(), "index.json")
	if err := os.WriteFile(file, index, 0o666); err != nil {
		b.t.Fatal(err)
	}
	b.tool("oras", "manifest", "push", "--plain-http", name+":1.0.0", file)
	return ociref.DigestOf(index).String()
}

const indexType = "application/vnd.oci.image.index.v1+json"

type descriptorJSON struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int64  `json:"size"`
}

// tool runs another program, which knows no credentials of the user, and returns what it prints.
func (b *bundleTest) tool(name string, args ...string) string {
	b.t.Helper()
	cmd := exec.Command(packtest.NeedProgram(b.t, name), args...)
	home := b.t.TempDir()
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "HOME="+home, "DOCKER_CONFIG="+home, "XDG_RUNTIME_DIR="+home, "REGCTL_CONFIG="+filepath.Join(home, "regctl.json"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		b.t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, &stderr)
	}
	return string(out)
}

// arrived demands that the other server has packs, each in its repository, as they were.
func (b *bundleTest) arrived(repositories map[string]string) {
	b.t.Helper()
	for name, repository := range repositories {
		file := filepath.Join(b.t.TempDir(), "pack")
		code, stdout, stderr := runWith(b.t, nil, "fetch", "-o", file, "--cache-dir", b.t.TempDir(), "--insecure-registry", b.other,
			b.other+"/"+repository+"@"+b.digests[name])
		if code != 0 {
			b.t.Errorf("%s: exit code %d\n%s%s", repository, code, stdout, stderr)
			continue
		}
		got, err := os.ReadFile(file)
		if err != nil || string(got) != b.read("packs/"+name+".gtpack") {
			b.t.Errorf("%s: another pack, %v", repository, err)
		}
	}
}

// restores demands that layouts of other programs make the project whole, without network.
func (b *bundleTest) restores(layouts ...string) {
	b.t.Helper()
	if err := os.RemoveAll(filepath.Join(b.dir, "packs")); err != nil {
		b.t.Fatal(err)
	}
	args := []string{"--frozen"}
	for _, layout := range layouts {
		args = append(args, "--from", layout)
	}
	b.ends(0, []string{"2 packs restored"}, args...)
	b.ends(0, nil, "verify")
	b.ends(0, []string{"2 packs imported"}, append([]string{"import"}, layouts...)...)
}

// each runs a test with the folder and with the archive.
func (b *bundleTest) each(t *testing.T, test func(b *bundleTest, bundle string)) {
	for kind, bundle := range map[string]string{"folder": b.folder, "archive": b.archive} {
		t.Run(kind, func(t *testing.T) {
			inner := *b
			project := *b.signedProject
			project.t = t
			inner.signedProject = &project
			test(&inner, bundle)
		})
	}
}

// in puts a repository below a prefix of the test.
func in(prefix string, repositories map[string]string) map[string]string {
	all := map[string]string{}
	for name, repository := range repositories {
		all[name] = prefix + "/" + repository
	}
	return all
}

// oras copies packs of a bundle by their names into a registry, restores a whole bundle into
// one repository, and copies packs out of a registry into layouts.
func TestBundleOras(t *testing.T) {
	b := newBundleTest(t)
	b.each(t, func(b *bundleTest, bundle string) {
		prefix := strings.ToLower(filepath.Base(b.t.Name()))
		copied := in(prefix, bundlePacks)
		for name, repository := range copied {
			b.tool("oras", "cp", "--no-tty", "--from-oci-layout", "--to-plain-http", bundle+":"+name, b.other+"/"+repository+":1.0.0")
		}
		b.arrived(copied)
		b.tool("oras", "restore", "--no-tty", "--plain-http", "--input", bundle, b.other+"/"+prefix+"/all:slack,redis")
		b.arrived(map[string]string{"slack": prefix + "/all", "redis": prefix + "/all"})
	})
	layout, backup := filepath.Join(t.TempDir(), "layout"), filepath.Join(t.TempDir(), "backup.tar")
	b.tool("oras", "cp", "--no-tty", "--from-plain-http", "--to-oci-layout", b.host+"/acme/messaging/slack:1.0.0", layout+":slack-1")
	b.tool("oras", "cp", "--no-tty", "--from-plain-http", "--to-oci-layout", b.host+"/acme/redis:1.0.0", layout+":redis-1")
	b.restores(layout)
	b.tool("oras", "backup", "--no-tty", "--plain-http", "--output", backup, b.host+"/acme/redis:1.0.0")
	b.tool("oras", "cp", "--no-tty", "--from-plain-http", "--to-oci-layout", b.host+"/acme/messaging/slack:1.0.0", layout+"2:x")
	b.restores(backup, layout+"2")
}

// A closed network copies the packs of a bundle into a registry of its own with oras: each into a
// repository with the path that it had, or all into one. There a registries.conf leads every pack
// to this registry, and packvendor asks no other.
func TestBundleClosedRegistry(t *testing.T) {
	b := newBundleTest(t)
	b.write("packs.toml", strings.Replace(b.read("packs.toml"), fmt.Sprintf("[%q]", b.host), fmt.Sprintf("[%q]", b.other), 1))
	for name, repository := range bundlePacks {
		b.tool("oras", "cp", "--no-tty", "--from-oci-layout", "--to-plain-http", b.archive+":"+name, b.other+"/"+repository+":1.0.0")
	}
	rule := fmt.Sprintf("[[registry]]\nprefix = %q\nlocation = %q\n", b.host, b.other)
	b.closed(rule, func(repository string) string { return b.other + "/" + repository })

	b.tool("oras", "restore", "--no-tty", "--plain-http", "--input", b.archive, b.other+"/closed/packs:slack,redis")
	var rules strings.Builder
	for _, repository := range bundlePacks {
		fmt.Fprintf(&rules, "[[registry]]\nprefix = %q\nlocation = %q\n", b.host+"/"+repository, b.other+"/closed/packs")
	}
	b.closed(rules.String(), func(string) string { return b.other + "/closed/packs" })
}

// closed demands that a locked run with an empty cache takes each pack from the place that rules
// of a registries.conf lead to.
func (b *bundleTest) closed(rules string, place func(repository string) string) {
	b.t.Helper()
	conf := filepath.Join(b.t.TempDir(), "registries.conf")
	if err := os.WriteFile(conf, []byte(rules), 0o666); err != nil {
		b.t.Fatal(err)
	}
	before := b.read("packs/slack.gtpack") + b.read("packs/redis.gtpack")
	if err := os.RemoveAll(filepath.Join(b.dir, "packs")); err != nil {
		b.t.Fatal(err)
	}
	code, stdout, stderr := runWith(b.t, map[string]string{"CONTAINERS_REGISTRIES_CONF": conf}, "--locked", "--json", "-f", filepath.Join(b.dir, "packs.toml"), "--cache-dir", b.t.TempDir())
	if code != 0 || b.read("packs/slack.gtpack")+b.read("packs/redis.gtpack") != before {
		b.t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	for _, repository := range bundlePacks {
		if source := fmt.Sprintf(`"source": "%s"`, place(repository)); !strings.Contains(stdout, source) {
			b.t.Errorf("no pack has %s:\n%s", source, stdout)
		}
	}
	if strings.Count(stdout, `"source"`) != len(bundlePacks) {
		b.t.Errorf("%s", stdout)
	}
	b.ends(0, nil, "verify")
}

// skopeo copies packs of a bundle by their names, and writes layouts as folders and archives.
func TestBundleSkopeo(t *testing.T) {
	b := newBundleTest(t)
	b.each(t, func(b *bundleTest, bundle string) {
		transport := "oci"
		if bundle == b.archive {
			transport = "oci-archive"
		}
		copied := in("skopeo/"+transport, bundlePacks)
		for name, repository := range copied {
			b.tool("skopeo", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false", transport+":"+bundle+":"+name, "docker://"+b.other+"/"+repository+":1.0.0")
		}
		b.arrived(copied)
	})
	dir := t.TempDir()
	var archives []string
	for name, repository := range bundlePacks {
		from := "docker://" + b.host + "/" + repository + ":1.0.0"
		archives = append(archives, filepath.Join(dir, name+".tar"))
		b.tool("skopeo", "copy", "--all", "--preserve-digests", "--src-tls-verify=false", from, "oci:"+filepath.Join(dir, "layout")+":"+name)
		b.tool("skopeo", "copy", "--all", "--preserve-digests", "--src-tls-verify=false", from, "oci-archive:"+filepath.Join(dir, name+".tar")+":1.0.0")
	}
	b.restores(filepath.Join(dir, "layout"))
	b.restores(archives...)
}

// regctl imports packs of an archive by their names, copies them from a folder, and writes
// layouts as folders and archives. Installing regctl takes minutes, so that only .ci/deep asks
// for this test.
func TestBundleRegctl(t *testing.T) {
	if os.Getenv("PACKVENDOR_REGCTL") == "" {
		t.Skip("PACKVENDOR_REGCTL is not set")
	}
	b := newBundleTest(t)
	plain := []string{"--host", "reg=" + b.host + ",tls=disabled", "--host", "reg=" + b.other + ",tls=disabled"}
	regctl := func(b *bundleTest, args ...string) { b.t.Helper(); b.tool("regctl", append(plain, args...)...) }
	b.each(t, func(b *bundleTest, bundle string) {
		copied := in("regctl/"+filepath.Base(b.t.Name()), bundlePacks)
		for name, repository := range copied {
			if bundle == b.archive {
				regctl(b, "image", "import", "--name", name, b.other+"/"+repository+":1.0.0", bundle)
			} else {
				regctl(b, "image", "copy", "ocidir://"+bundle+":"+name, b.other+"/"+repository+":1.0.0")
			}
		}
		b.arrived(copied)
	})
	dir := t.TempDir()
	var archives []string
	for name, repository := range bundlePacks {
		from := b.host + "/" + repository + ":1.0.0"
		archives = append(archives, filepath.Join(dir, name+".tar"))
		regctl(b, "image", "copy", from, "ocidir://"+filepath.Join(dir, "layout")+":"+name)
		regctl(b, "image", "export", from, filepath.Join(dir, name+".tar"))
	}
	b.restores(filepath.Join(dir, "layout"))
	b.restores(archives...)
}

// crane pushes a bundle of one pack, which it takes for an index, and pulls a layout.
func TestBundleCrane(t *testing.T) {
	b := newBundleTest(t)
	one := filepath.Join(t.TempDir(), "one")
	b.ends(0, nil, "export", "-o", one, "slack")
	b.tool("crane", "push", "--insecure", one, b.other+"/crane/slack:1.0.0")
	b.arrived(map[string]string{"slack": "crane/slack"})
	b.tool("crane", "push", "--insecure", "--index", b.folder, b.other+"/crane/all:1.0.0")
	b.arrived(map[string]string{"slack": "crane/all", "redis": "crane/all"})
	layout := filepath.Join(t.TempDir(), "layout")
	for _, repository := range bundlePacks {
		b.tool("crane", "pull", "--insecure", "--format", "oci", b.host+"/"+repository+":1.0.0", layout)
	}
	b.restores(layout)
}
