package vendorer

import (
	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// goPackage returns the package to generate for config's packs, but for what is
// not known yet, and sees that it has room.
func (s *session) goPackage(config *packsfile.File) (embedgen.Package, error) {
	files, err := s.p.GoFiles()
	if err != nil {
		return embedgen.Package{}, err
	}
	return s.packageAmong(files, config)
}

// packageAmong is goPackage where the package's other files are these.
func (s *session) packageAmong(files []project.GoFile, config *packsfile.File) (pkg embedgen.Package, err error) {
	pkg.Data = s.p.Config.Embed.Data
	if pkg.Name, err = s.p.PackageName(s.o.getenv, files); err != nil {
		return pkg, err
	}
	for _, pack := range config.Packs {
		pkg.Packs = append(pkg.Packs, embedgen.Pack{Name: pack.Name, GoName: pack.GoName})
	}
	return pkg, s.p.CheckClashes(pkg, files)
}

// generate returns the Go source for the items.
func generate(pkg embedgen.Package, tasks []*task) ([]byte, error) {
	pkg.Packs = nil
	for _, t := range tasks {
		pkg.Packs = append(pkg.Packs, embedgen.Pack{
			Name:           t.Pack.Name,
			GoName:         t.Pack.GoName,
			Ref:            t.entry.Ref,
			ManifestDigest: string(t.entry.ManifestDigest),
			LayerDigest:    string(t.entry.LayerDigest),
			MediaType:      t.entry.MediaType,
			Size:           t.entry.Size,
		})
	}
	return embedgen.Generate(pkg)
}
