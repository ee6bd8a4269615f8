package embedgen

// packType is the constant part of every generated file. imports and predeclared list
// the names that it needs; a test checks the lists.
const packType = `
// A Pack is one embedded pack. Its methods may be called from several
// goroutines at once.
type Pack struct {
	name           string
	ref            string
	manifestDigest string
	layerDigest    string
	mediaType      string
	data           string
}

// Name returns the pack's name in packs.toml.
func (p Pack) Name() string { return p.name }

// Ref returns the reference in packs.toml that the pack was fetched by.
func (p Pack) Ref() string { return p.ref }

// ManifestDigest returns the digest of the manifest that holds the pack.
func (p Pack) ManifestDigest() string { return p.manifestDigest }

// LayerDigest returns the digest that packs.lock has for the pack's bytes.
func (p Pack) LayerDigest() string { return p.layerDigest }

// MediaType returns the media type of the pack's layer.
func (p Pack) MediaType() string { return p.mediaType }

// Size returns the number of embedded bytes.
func (p Pack) Size() int64 { return int64(len(p.data)) }

// Reader returns a reader of the embedded bytes, which are not copied.
func (p Pack) Reader() *strings.Reader { return strings.NewReader(p.data) }

// Bytes returns a copy of the embedded bytes.
func (p Pack) Bytes() []byte { return []byte(p.data) }

// Verify returns an error if the embedded bytes are not those that
// LayerDigest names.
func (p Pack) Verify() error {
	h := sha256.New()
	// Without its WriteTo method the reader is hashed in small parts, not
	// as one copy of the whole pack.
	if _, err := io.Copy(h, struct{ io.Reader }{p.Reader()}); err != nil {
		return err
	}
	if got := "sha256:" + hex.EncodeToString(h.Sum(nil)); got != p.layerDigest {
		return errors.New("pack " + p.name + ": the embedded bytes are " + got + ", want " + p.layerDigest)
	}
	return nil
}
`
