package packtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/greenticai/packvendor/internal/ociref"
)

// PackMediaType is the media type of a pack's layer from its publishers.
const PackMediaType = "application/vnd.greentic.gtpack.v1+zip"

// ManifestMediaType is the media type of OCI image manifests.
const ManifestMediaType = "application/vnd.oci.image.manifest.v1+json"

// Media types of other manifests and of their configurations.
const (
	ociArtifact    = "application/vnd.oci.artifact.manifest.v1+json"
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	ociEmpty       = "application/vnd.oci.empty.v1+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerConfig   = "application/vnd.docker.container.image.v1+json"

	titleAnnotation = "org.opencontainers.image.title"
)

// A ManifestKind is the form of an [Artifact]'s manifest.
type ManifestKind int

const (
	OCIImage      ManifestKind = iota // with "config" and "layers"
	OCIArtifact                       // with "blobs" and no "config"
	DockerSchema2                     // Docker's image manifest, version 2
)

// An Artifact is a set of layers under one manifest, ready to push. The zero value is
// an OCI image manifest without layers.
type Artifact struct {
	Kind            ManifestKind
	MediaType       string // of the manifest; "" means the kind's own
	OmitMediaType   bool   // leave it out of the manifest's body
	ArtifactType    string // "" leaves it out
	ConfigMediaType string // "" means the empty configuration of oras
	Layers          []Layer
	Annotations     map[string]string
	Subject         *Child // the manifest that it is about; nil leaves it out
}

// A Layer is one blob of an [Artifact] and its descriptor, which may be wrong.
type Layer struct {
	MediaType   string // "" means PackMediaType
	Title       string // the title annotation; "" leaves it out
	Data        []byte // the blob's bytes
	Annotations map[string]string

	Digest     string   // in the descriptor; "" means Data's
	Size       *int64   // in the descriptor; nil means Data's
	URLs       []string // the descriptor's other places
	InlineData []byte   // the descriptor's "data"
}

// Pack returns the artifact of a pack alone, in its publishers' form.
func Pack(data []byte, title string) Artifact {
	return Artifact{ArtifactType: PackMediaType, Layers: []Layer{{Data: data, Title: title}}}
}

// Pushed is the result of a push.
type Pushed struct {
	ManifestDigest ociref.Digest
	MediaType      string          // the manifest's
	Manifest       []byte          // its exact bytes
	Layers         []ociref.Digest // of the layers' data, not of the descriptors
}

// Child returns p as a child for PushIndex.
func (p Pushed) Child() Child {
	return Child{Digest: p.ManifestDigest, Size: int64(len(p.Manifest)), MediaType: p.MediaType}
}

type descriptor struct {
	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	URLs         []string          `json:"urls,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	Data         []byte            `json:"data,omitempty"`
	Platform     *Platform         `json:"platform,omitempty"`
}

// document is a manifest of any kind. The lists are pointers, since an empty list
// differs from a missing one.
type document struct {
	SchemaVersion int               `json:"schemaVersion,omitempty"`
	MediaType     string            `json:"mediaType,omitempty"`
	ArtifactType  string            `json:"artifactType,omitempty"`
	Config        *descriptor       `json:"config,omitempty"`
	Subject       *descriptor       `json:"subject,omitempty"`
	Layers        *[]descriptor     `json:"layers,omitempty"`
	Blobs         *[]descriptor     `json:"blobs,omitempty"`
	Manifests     *[]descriptor     `json:"manifests,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// Push stores the artifact's blobs and its manifest, without the network: it meets no
// fault, and Requests does not list it. Tag may be empty.
func (r *Registry) Push(repository, tag string, a Artifact) (Pushed, error) {
	doc, mediaType, err := a.document()
	if err != nil {
		return Pushed{}, err
	}
	pushed := Pushed{MediaType: mediaType}
	for _, l := range a.Layers {
		pushed.Layers = append(pushed.Layers, r.PutBlob(repository, l.Data))
	}
	if doc.Config != nil {
		r.PutBlob(repository, []byte("{}"))
	}
	if pushed.Manifest, err = json.Marshal(doc); err != nil {
		return Pushed{}, fmt.Errorf("test artifact: %w", err)
	}
	pushed.ManifestDigest = r.manifests.put(repository, tag, mediaType, pushed.Manifest)
	return pushed, nil
}

func (a Artifact) document() (doc document, mediaType string, err error) {
	layers := []descriptor{}
	for _, l := range a.Layers {
		layers = append(layers, l.descriptor())
	}
	doc = document{SchemaVersion: 2, ArtifactType: a.ArtifactType, Annotations: a.Annotations}
	if s := a.Subject; s != nil {
		doc.Subject = &descriptor{MediaType: s.MediaType, Digest: s.Digest.String(), Size: s.Size}
	}
	switch a.Kind {
	case OCIImage:
		mediaType, doc.Layers, doc.Config = ManifestMediaType, &layers, emptyConfig(cmp.Or(a.ConfigMediaType, ociEmpty))
	case OCIArtifact:
		mediaType, doc.Blobs, doc.SchemaVersion = ociArtifact, &layers, 0
	case DockerSchema2:
		mediaType, doc.Layers, doc.Config = dockerManifest, &layers, emptyConfig(cmp.Or(a.ConfigMediaType, dockerConfig))
	default:
		return doc, "", fmt.Errorf("test artifact: unknown kind of manifest %d", a.Kind)
	}
	mediaType = cmp.Or(a.MediaType, mediaType)
	if !a.OmitMediaType {
		doc.MediaType = mediaType
	}
	return doc, mediaType, nil
}

// emptyConfig also carries its two bytes inline, like oras.
func emptyConfig(mediaType string) *descriptor {
	body := []byte("{}")
	d := &descriptor{MediaType: mediaType, Digest: ociref.DigestOf(body).String(), Size: int64(len(body))}
	if mediaType == ociEmpty {
		d.Data = body
	}
	return d
}

func (l Layer) descriptor() descriptor {
	d := descriptor{
		MediaType:   cmp.Or(l.MediaType, PackMediaType),
		Digest:      cmp.Or(l.Digest, ociref.DigestOf(l.Data).String()),
		Size:        int64(len(l.Data)),
		URLs:        l.URLs,
		Annotations: maps.Clone(l.Annotations),
		Data:        l.InlineData,
	}
	if l.Size != nil {
		d.Size = *l.Size
	}
	if l.Title != "" {
		if d.Annotations == nil {
			d.Annotations = map[string]string{}
		}
		d.Annotations[titleAnnotation] = l.Title
	}
	return d
}

// PutManifest stores body as it is, valid or not, and returns its digest. Reference is
// a tag, or empty; a digest must be body's.
func (r *Registry) PutManifest(repository, reference, mediaType string, body []byte) (ociref.Digest, error) {
	digest, tag := ociref.DigestOf(body), reference
	if IsDigest(reference) {
		if tag = ""; digest.String() != reference {
			return "", fmt.Errorf("manifest of %s has digest %s, not %s", repository, digest, reference)
		}
	}
	return r.manifests.put(repository, tag, mediaType, body), nil
}

// Tag points a tag at a present manifest. The error is fs.ErrNotExist if there is none.
func (r *Registry) Tag(repository, tag string, digest ociref.Digest) error {
	return r.TagMany(repository, digest, []string{tag})
}

// TagMany is Tag for many tags. Ten thousand take milliseconds.
func (r *Registry) TagMany(repository string, digest ociref.Digest, tags []string) error {
	return r.manifests.point(repository, digest, tags)
}

// Delete removes a tag, or a manifest by its digest and all its tags with it. The
// answer is then 404 MANIFEST_UNKNOWN. The error is fs.ErrNotExist if it was missing.
func (r *Registry) Delete(repository, reference string) error {
	return r.manifests.delete(repository, reference)
}

// A Child is one manifest in an index.
type Child struct {
	Digest       ociref.Digest
	Size         int64  // in bytes; 0 means the stored one
	MediaType    string // "" means the stored one
	ArtifactType string
	Annotations  map[string]string
	Platform     *Platform // nil omits it
}

// A Platform is the system that an image runs on.
type Platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Variant      string `json:"variant,omitempty"`
}

// PushIndex stores an OCI image index. Children with a size and media type need not be
// in the registry. Tag may be empty.
func (r *Registry) PushIndex(repository, tag string, children []Child) (Pushed, error) {
	list := []descriptor{}
	for _, c := range children {
		d, err := r.describe(repository, c)
		if err != nil {
			return Pushed{}, err
		}
		list = append(list, d)
	}
	body, err := json.Marshal(document{SchemaVersion: 2, MediaType: ociIndex, Manifests: &list})
	if err != nil {
		return Pushed{}, fmt.Errorf("test index: %w", err)
	}
	digest := r.manifests.put(repository, tag, ociIndex, body)
	return Pushed{ManifestDigest: digest, MediaType: ociIndex, Manifest: body}, nil
}

func (r *Registry) describe(repository string, c Child) (descriptor, error) {
	d := descriptor{
		MediaType:    c.MediaType,
		ArtifactType: c.ArtifactType,
		Digest:       c.Digest.String(),
		Size:         c.Size,
		Annotations:  c.Annotations,
		Platform:     c.Platform,
	}
	if d.Size != 0 && d.MediaType != "" {
		return d, nil
	}
	found, _, err := r.manifests.get(repository, d.Digest)
	if err != nil {
		return d, fmt.Errorf("child of test index: %w", err)
	}
	if d.Size == 0 {
		d.Size = int64(len(found.body))
	}
	if d.MediaType == "" {
		d.MediaType = found.mediaType
	}
	return d, nil
}
