package packsfile

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// shared is the owner of lines that several packs stand on.
const shared = "*"

// A genLine is a line of a generated packs.toml.
type genLine struct {
	text  string
	owner string // the pack that the line is a part of; "" if none
	key   string // the pack's key that has the line to itself; "" if none
}

// A generator makes valid packs.toml texts of every form, by chance. Each
// comment is "#c" and a number of its own, and nothing else looks like one.
type generator struct {
	*rand.Rand
	lines    []genLine
	names    []string // of the packs
	comments int
	tags     bool // allow_tags for all packs
	form     form // of the packs table: header, inline, leaf for dotted keys, implied for tables of their own
	empty    bool // there is no packs table
}

func generate(seed uint64) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
	pool := []string{"x", "a", "b-1", "state_redis", "zeta9", "m"}
	g.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	g.names = pool[:g.IntN(len(pool))]
	g.tags = g.maybe(4)
	g.form = []form{header, inline, leaf, implied}[g.IntN(4)]
	g.empty = len(g.names) == 0 && (g.form != header && g.form != inline || g.maybe(3))
	g.file()
	return g
}

func (g *generator) maybe(oneIn int) bool { return g.IntN(oneIn) == 0 }

func (g *generator) pick(choices ...string) string { return choices[g.IntN(len(choices))] }

func (g *generator) add(owner, key, text string) {
	g.lines = append(g.lines, genLine{text, owner, key})
}

// comment returns one, mostly none.
func (g *generator) comment(oneIn int) string {
	if !g.maybe(oneIn) {
		return ""
	}
	g.comments++
	return fmt.Sprintf("%s#c%d%s", g.pick(" ", "  ", "\t", ""), g.comments, g.pick("", " = \"", " [packs]", " }"))
}

// between adds comment and blank lines.
func (g *generator) between(owner string) {
	for range g.IntN(3) {
		if g.maybe(2) {
			g.add(owner, "", "")
		} else {
			g.add(owner, "", g.comment(1))
		}
	}
}

// file adds all lines. Tables can only stand below all keys of the file.
func (g *generator) file() {
	top := []func(){}
	if g.tags {
		top = append(top, func() { g.add("", "", g.key("allow_tags")+"true"+g.comment(2)) })
	}
	top = append(top, g.array, g.array2)
	below := []func(){}
	switch g.IntN(4) {
	case 0:
		top = append(top, func() { g.add("", "", `embed.dir = "#a"`+g.comment(2)) })
	case 1:
		top = append(top, func() { g.add("", "", `embed = { dir = '#a', file = "x.go" }`+g.comment(2)) })
	case 2:
		below = append(below, g.embed)
	}
	switch g.IntN(4) {
	case 0:
		top = append(top, func() { g.add("", "", `limits.total = "1.5GiB"`+g.comment(2)) })
	case 1:
		below = append(below, g.limits)
	}
	if g.form == inline || g.form == leaf {
		top = append(top, g.packs)
	} else {
		below = append(below, g.packs)
	}
	for _, parts := range [][]func(){top, below} {
		g.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		for _, part := range parts {
			g.between("")
			part()
		}
	}
	g.between("")
}

func (g *generator) embed() {
	g.add("", "", "[embed]"+g.comment(2))
	g.between("")
	g.add("", "", g.key("data")+`"d/e"`+g.comment(2))
}

func (g *generator) limits() {
	g.add("", "", "[limits]"+g.comment(2))
	g.between("")
	g.add("", "", g.key("pack")+`"20 MB"`+g.comment(2))
}

func (g *generator) array() {
	if !g.maybe(2) {
		return
	}
	g.add("", "", g.key("accept_media_types")+"["+g.comment(2))
	g.between("")
	g.add("", "", `  "a/b",`+g.comment(2))
	g.add("", "", `]`+g.comment(2))
}

func (g *generator) array2() {
	if g.maybe(2) {
		g.add("", "", g.key("insecure_registries")+`["localhost:5000", 'r.io' ]`+g.comment(2))
	}
}

// key returns a key and its equals sign.
func (g *generator) key(key string) string {
	return g.spell(key) + g.pick(" = ", "=", "   =  ")
}

func (g *generator) spell(key string) string {
	switch g.IntN(6) {
	case 0:
		return `"` + key + `"`
	case 1:
		return "'" + key + "'"
	case 2:
		return fmt.Sprintf(`"\u%04x%s"`, key[0], key[1:])
	}
	return key
}

// packs adds the packs in the file's form.
func (g *generator) packs() {
	switch {
	case g.empty:
	case g.form == inline && g.maybe(2):
		g.inlineLines()
	case g.form == inline:
		g.inlineLine()
	case g.form == header:
		g.headed()
	case g.form == implied:
		for _, name := range g.names {
			g.table(name)
		}
	default:
		for _, name := range g.names {
			g.entry("packs"+g.pick(".", " . "), name)
			g.between("")
		}
	}
}

// headed adds [packs] with entries, then some tables, which come last.
func (g *generator) headed() {
	g.add("", "", g.pick("[packs]", `[ "packs" ]`, "\t[packs]")+g.comment(2))
	tables := g.IntN(2 + len(g.names))
	for i, name := range g.names {
		g.between("")
		if i >= tables {
			g.table(name)
		} else {
			g.entry("", name)
		}
	}
}

// A genKey is a key of a pack, and its value as TOML.
type genKey struct{ key, value string }

// keys makes up what a pack says.
func (g *generator) keys(name string) []genKey {
	pin := "@" + digest
	var keys []genKey
	switch g.IntN(4) {
	case 0:
		keys = []genKey{{"ref", "ghcr.io/o/" + name}, {"version", g.pick("^0.4", ">=1.2, <2", "1.x || ^3")}}
	case 1:
		keys = []genKey{{"ref", "ghcr.io/o/" + name + ":stable"}, {"allow_tags", "true"}}
		if g.tags && g.maybe(2) {
			keys = keys[:1]
		}
	case 2:
		keys = []genKey{{"ref", "oci://ghcr.io/o/" + name + ":1.0" + pin}}
	case 3:
		keys = []genKey{{"ref", "localhost:5000/o/" + name + pin}, {"allow_tags", g.pick("true", "false")}}
	}
	if g.maybe(4) {
		keys = append(keys, genKey{"path", g.pick("a.gtpack", "../b/c d.gtpack")})
	}
	if g.maybe(3) {
		keys = append(keys, genKey{"layer", g.pick("a/b", digest)})
	}
	if g.maybe(3) {
		keys = append(keys, genKey{"go_name", "Go" + strings.ToUpper(name[:1])})
	}
	for i, key := range keys {
		if key.key != "allow_tags" {
			keys[i].value = g.quote(key.value)
		}
	}
	g.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	return keys
}

func (g *generator) quote(s string) string {
	mark := g.pick(`"`, `"`, `'`, `'`, `"""`, `'''`)
	return mark + s + mark
}

// entry adds a pack in a table of packs: a string, an inline table on one line
// or several, or dotted keys.
func (g *generator) entry(prefix, name string) {
	keys := g.keys(name)
	indent := g.pick("", "", "  ", "\t")
	switch spelled := indent + prefix + g.spell(name); {
	case len(keys) == 1 && g.maybe(2) && strings.HasPrefix(keys[0].value, `"""`):
		g.add(name, "", spelled+` = """`)
		g.add(name, "", keys[0].value[3:]+g.comment(2))
	case len(keys) == 1 && !g.maybe(4):
		g.add(name, "", spelled+g.pick(" = ", "=")+keys[0].value+g.comment(2))
	case g.maybe(2):
		g.add(name, "", spelled+g.pick(" = ", "=")+g.inlineTable(keys)+g.comment(2))
	case g.maybe(2):
		g.tableLines(spelled, name, keys, g.comment(2))
	default:
		for _, key := range keys {
			if g.maybe(3) {
				g.between("")
			}
			g.add(name, key.key, spelled+"."+g.key(key.key)+key.value+g.comment(2))
		}
	}
}

func (g *generator) inlineTable(keys []genKey) string {
	var texts []string
	for _, key := range keys {
		texts = append(texts, g.key(key.key)+key.value)
	}
	return g.pick("{", "{ ") + strings.Join(texts, g.pick(", ", ",", " , ")) + g.pick("}", " }", ", }")
}

// tableLines adds an inline table of several lines.
func (g *generator) tableLines(spelled, name string, keys []genKey, end string) {
	g.add(name, "", spelled+" = {"+g.comment(2))
	for i, key := range keys {
		g.between(name)
		comma := ","
		if i == len(keys)-1 {
			comma = g.pick("", ",")
		}
		g.add(name, key.key, "  "+g.key(key.key)+key.value+comma+g.comment(2))
	}
	g.add(name, "", "}"+end)
}

// table adds [packs.NAME]. What stands below its last key is not the pack's.
func (g *generator) table(name string) {
	keys := g.keys(name)
	g.add(name, "", g.pick("[packs.", " [ packs . ")+g.spell(name)+g.pick("]", " ]")+g.comment(2))
	for _, key := range keys {
		g.between(name)
		g.add(name, key.key, g.pick("", "  ")+g.key(key.key)+key.value+g.comment(2))
	}
	g.between("")
}

// inlineLine adds packs = { … } on one line.
func (g *generator) inlineLine() {
	g.add(shared, "", "packs = "+g.pick("{", "{ ")+strings.Join(g.elements(g.names), g.pick(", ", ","))+g.pick("}", " }")+g.comment(2))
}

// elements returns packs as elements of an inline table.
func (g *generator) elements(names []string) []string {
	var texts []string
	for _, name := range names {
		keys := g.keys(name)
		switch {
		case len(keys) == 1 && g.maybe(2):
			texts = append(texts, g.key(name)+keys[0].value)
		case g.maybe(2):
			texts = append(texts, g.key(name)+g.inlineTable(keys))
		default:
			spelled := g.spell(name)
			for _, key := range keys {
				texts = append(texts, spelled+"."+g.key(key.key)+key.value)
			}
		}
	}
	return texts
}

// inlineLines adds packs = { … } on several lines; packs may share one.
func (g *generator) inlineLines() {
	g.add("", "", "packs = {"+g.comment(2))
	for i := 0; i < len(g.names); {
		g.between("")
		n := min(len(g.names)-i, 1+g.IntN(2)*g.IntN(2))
		owner := shared
		if n == 1 {
			owner = g.names[i]
		}
		comma := ","
		if i += n; i == len(g.names) {
			comma = g.pick("", ",")
		}
		if n == 1 && g.maybe(3) {
			g.tableLines(g.spell(owner), owner, g.keys(owner), comma+g.comment(2))
			continue
		}
		g.add(owner, "", "  "+strings.Join(g.elements(g.names[i-n:i]), ", ")+comma+g.comment(2))
	}
	g.between("")
	g.add("", "", "}"+g.comment(2))
}

// texts returns the lines that keep accepts.
func (g *generator) texts(keep func(genLine) bool) []string {
	var texts []string
	for _, line := range g.lines {
		if keep(line) {
			texts = append(texts, line.text)
		}
	}
	return texts
}

func (g *generator) has(name string) bool { return slices.Contains(g.names, name) }

func (g *generator) String() string {
	var b strings.Builder
	for _, line := range g.lines {
		b.WriteString(line.text + "\n")
	}
	return b.String()
}
