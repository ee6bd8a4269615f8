package fetch

import (
	"context"
	"io"
	"os"
)

// A spool is a Sink for those who want a pack in a file, which is mostly the
// cache's: its own file is only made where the cache will not have the bytes.
type spool struct {
	file *os.File
	head []byte // the first bytes, as many as tell a zip archive
}

// start makes what follows be written to a file of the spool's own.
func (s *spool) start() (err error) {
	if s.file == nil {
		s.file, err = os.CreateTemp("", "packvendor-*.gtpack")
	}
	if err != nil {
		return &StorageError{Err: err}
	}
	return nil
}

func (s *spool) Write(p []byte) (int, error) {
	s.head = append(s.head, p[:min(len(p), 4-len(s.head))]...)
	if s.file == nil {
		return len(p), nil
	}
	return s.file.Write(p)
}

// Reset forgets what was written.
func (s *spool) Reset() error {
	s.head = s.head[:0]
	if s.file == nil {
		return nil
	}
	if err := s.file.Truncate(0); err != nil {
		return err
	}
	_, err := s.file.Seek(0, io.SeekStart)
	return err
}

// finish closes the file, if there is one, and removes it if it is not wanted.
func (s *spool) finish(wanted bool) error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if !wanted || err != nil {
		os.Remove(s.file.Name())
	}
	if err != nil {
		return &StorageError{Err: err}
	}
	return nil
}

// ToCache sees that the cache holds the pack, and says where. The bytes were verified
// during the call; other programs may write to the cache after it. Where the cache
// cannot be written, the pack is in a temporary file, which is the caller's to remove,
// and an event says so. Errors are those of Copy.
func (f *Fetcher) ToCache(ctx context.Context, p *Pack) (Result, error) {
	path, fetched, err := f.keep(ctx, p)
	if err != nil {
		return Result{}, err
	}
	return Result{
		OriginalReference:   p.Reference.Text(),
		ResolvedDigest:      string(p.ManifestDigest),
		MediaType:           p.Layer.MediaType,
		Path:                path,
		FetchedFromNetwork:  fetched,
		ManifestDigest:      string(p.ManifestDigest),
		ManifestAnnotations: p.Annotations,
	}, nil
}

// keep sees that the pack is in a file: the cache's, or a temporary one.
func (f *Fetcher) keep(ctx context.Context, p *Pack) (path string, fetched bool, err error) {
	s := spool{head: []byte{}} // a pack of no bytes is known not to be a zip
	from, err := f.copy(ctx, p, &s)
	if err == nil && from == fromNetworkAlone && s.file == nil {
		// The cache gave out halfway, when the first bytes were gone already.
		if err = s.start(); err == nil {
			err = f.download(ctx, p, f.counted(p, &s))
		}
	}
	alone := err == nil && from == fromNetworkAlone
	if finishErr := s.finish(alone); err == nil {
		err = finishErr
	}
	if err != nil {
		return "", false, err
	}
	if d, doubtful := f.Doubt(p, s.head); doubtful {
		f.events(d)
	}
	if alone {
		return s.file.Name(), true, nil
	}
	return f.cache.PackPath(p.ManifestDigest), from == fromNetwork, nil
}
