package docs_test

import (
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// TestLinks follows every link of every page of the repository, without a network: a
// file must be there, under exactly that name, and an anchor must be that of a heading.
// Links to other hosts are HTTPS and lead to public names.
func TestLinks(t *testing.T) {
	pages := readPages(t)
	for _, name := range sorted(pages) {
		for _, link := range pages[name].links() {
			if err := follow(pages, name, link.target); err != nil {
				t.Errorf("%s:%d: %s: %v", name, link.line, link.target, err)
			}
		}
	}
}

// TestMap wants every page of this folder on the map.
func TestMap(t *testing.T) {
	pages := readPages(t)
	var listed []string
	for _, link := range pages["docs/README.md"].links() {
		listed = append(listed, path.Join("docs", link.target))
	}
	for name := range pages {
		if path.Dir(name) == "docs" && name != "docs/README.md" && !slices.Contains(listed, name) {
			t.Errorf("docs/README.md does not list %s", name)
		}
	}
	for i, name := range listed {
		if slices.Contains(listed[:i], name) {
			t.Errorf("docs/README.md lists %s twice", name)
		}
	}
}

// TestAnchors computes anchors as GitHub does.
func TestAnchors(t *testing.T) {
	page := newPage("# One `two`, three\n\n```\n# no heading\n```\n\n## Don't: a-b_c\n## [Text](x.md) & more\n## Same\n## Same\n<a name=\"own\"></a>\n#hash\n")
	want := []string{"dont-a-b_c", "one-two-three", "own", "same", "same-1", "text--more"}
	if got := sorted(page.anchors); !slices.Equal(got, want) {
		t.Errorf("anchors %q, want %q", got, want)
	}
}

// TestFollow finds broken links.
func TestFollow(t *testing.T) {
	pages := map[string]*page{"a.md": newPage("# A\n"), "docs/b.md": newPage("# B b\n")}
	for _, test := range []struct{ from, target, want string }{
		{"a.md", "docs/b.md#b-b", ""},
		{"docs/b.md", "../a.md", ""},
		{"docs/b.md", "#b-b", ""},
		{"docs/b.md", "rooms_test.go", ""},
		{"docs/b.md", "../docs", ""},
		{"docs/b.md", "..", ""},
		{"a.md", "https://example.com/x#y", ""},
		{"docs/b.md", "a.md", "there is no such file"},
		{"docs/b.md", "Rooms_test.go", "there is no such file"},
		{"docs/b.md", "#b", "there is no such heading"},
		{"docs/b.md", "rooms_test.go#package", "only pages have anchors"},
		{"docs/b.md", "/a.md", "a link within the repository is relative"},
		{"docs/b.md", "../../a.md", "it leads out of the repository"},
		{"a.md", "http://example.com/", "it is not HTTPS"},
		{"a.md", "https://localhost/", "it is no public host"},
		{"a.md", "https://127.0.0.1/", "it is no public host"},
		{"a.md", "ftp://example.com/", "it is not HTTPS"},
	} {
		got := ""
		if err := follow(pages, test.from, test.target); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s in %s: %q, want %q", test.target, test.from, got, test.want)
		}
	}
}

// A page is a Markdown page: its lines, those in blocks of code being empty, and its
// anchors.
type page struct {
	lines   []string
	anchors map[string]bool
}

// A link is where a page leads to.
type link struct {
	line   int
	target string
}

// readPages reads the pages of the repository, by their names with slashes.
func readPages(t *testing.T) map[string]*page {
	t.Helper()
	pages := map[string]*page{}
	err := filepath.WalkDir("..", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains([]string{".git", "testdata", "node_modules"}, entry.Name()) {
			return filepath.SkipDir
		}
		if filepath.Ext(name) != ".md" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		name, err = filepath.Rel("..", name)
		pages[filepath.ToSlash(name)] = newPage(string(text))
		return err
	})
	if err != nil || pages["README.md"] == nil {
		t.Fatalf("%d pages, error %v", len(pages), err)
	}
	return pages
}

var (
	fence    = regexp.MustCompile("^ *```")
	heading  = regexp.MustCompile(`^#{1,6} +(.*?)(?: +#+)?$`)
	inText   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	ownName  = regexp.MustCompile(`<a (?:name|id)="([^"]+)">`)
	inline   = regexp.MustCompile("`[^`]*`")
	linkForm = regexp.MustCompile(`\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)|^\[[^\]]+\]: (\S+)|(?:href|src)="([^"]+)"`)
)

func newPage(text string) *page {
	p := &page{anchors: map[string]bool{}}
	inCode := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if fence.MatchString(line) {
			inCode, line = !inCode, ""
		}
		if inCode {
			line = ""
		}
		p.lines = append(p.lines, line)
		if found := heading.FindStringSubmatch(line); found != nil {
			p.add(anchor(found[1]))
		}
		for _, found := range ownName.FindAllStringSubmatch(line, -1) {
			p.anchors[found[1]] = true
		}
	}
	return p
}

// add adds the anchor of a heading. Of equal ones, the second gets -1, the third -2.
func (p *page) add(anchor string) {
	unique := anchor
	for n := 1; p.anchors[unique]; n++ {
		unique = fmt.Sprintf("%s-%d", anchor, n)
	}
	p.anchors[unique] = true
}

// anchor returns a heading in lower case, without punctuation, and with hyphens for
// spaces.
func anchor(heading string) string {
	heading = inText.ReplaceAllString(heading, "$1")
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

func (p *page) links() (links []link) {
	for i, line := range p.lines {
		for _, found := range linkForm.FindAllStringSubmatch(inline.ReplaceAllString(line, ""), -1) {
			links = append(links, link{i + 1, found[1] + found[2] + found[3]})
		}
	}
	return links
}

// follow returns an error if a link of a page leads nowhere.
func follow(pages map[string]*page, from, target string) error {
	u, err := url.Parse(target)
	if err != nil {
		return err
	}
	if u.Scheme != "" || u.Host != "" {
		return checkHost(u)
	}
	if strings.HasPrefix(u.Path, "/") {
		return fmt.Errorf("a link within the repository is relative")
	}
	name := from
	if u.Path != "" {
		name = path.Join(path.Dir(from), u.Path)
	}
	if strings.HasPrefix(name, "..") {
		return fmt.Errorf("it leads out of the repository")
	}
	if page := pages[name]; page != nil {
		if u.Fragment != "" && !page.anchors[u.Fragment] {
			return fmt.Errorf("there is no such heading")
		}
		return nil
	}
	if !isThere(name) {
		return fmt.Errorf("there is no such file")
	}
	if u.Fragment != "" {
		return fmt.Errorf("only pages have anchors")
	}
	return nil
}

func checkHost(u *url.URL) error {
	host := u.Hostname()
	if u.Scheme != "https" {
		return fmt.Errorf("it is not HTTPS")
	}
	if !strings.Contains(host, ".") || strings.Trim(host, "0123456789.") == "" || strings.HasSuffix(host, ".localhost") {
		return fmt.Errorf("it is no public host")
	}
	return nil
}

// isThere reports whether the repository has a file or folder under exactly this name,
// whatever the file system makes of upper case.
func isThere(name string) bool {
	if name == "." {
		return true
	}
	entries, err := os.ReadDir(filepath.Join("..", filepath.FromSlash(path.Dir(name))))
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == path.Base(name) })
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
