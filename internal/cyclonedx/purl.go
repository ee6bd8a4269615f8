package cyclonedx

import (
	"path"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
)

// ociPURL returns the package URL of a manifest: the name is the last part of the repository,
// in lower case.
// https://github.com/package-url/purl-spec/blob/main/types/oci-definition.json
func ociPURL(ref ociref.Reference, manifest ociref.Digest, tag string) string {
	return purl("oci", strings.ToLower(path.Base(ref.Repository)), string(manifest), qualifier{"repository_url", ref.Name()}, qualifier{"tag", tag})
}

// filePURL returns the package URL of a pack that is a file.
func filePURL(name string, layer ociref.Digest) string {
	return purl("generic", name, "", qualifier{"checksum", string(layer)})
}

type qualifier struct{ key, value string }

// purl returns a package URL in its canonical form.
// https://github.com/package-url/purl-spec/blob/main/docs/specification/how-to-build.md
func purl(kind, name, version string, qualifiers ...qualifier) string {
	text := "pkg:" + kind + "/" + percent(name)
	if version != "" {
		text += "@" + percent(version)
	}
	qualifiers = slices.DeleteFunc(qualifiers, func(q qualifier) bool { return q.value == "" })
	slices.SortFunc(qualifiers, func(a, b qualifier) int { return strings.Compare(a.key, b.key) })
	separator := "?"
	for _, q := range qualifiers {
		text += separator + q.key + "=" + percent(q.value)
		separator = "&"
	}
	return text
}

// percent encodes all but letters, digits, ".-_~" and ":", which is never encoded.
func percent(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(".-_~:", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
