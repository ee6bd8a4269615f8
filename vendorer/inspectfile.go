package vendorer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/internal/program"
	"github.com/greenticai/packvendor/internal/scratch"
	"github.com/greenticai/packvendor/internal/verified"
)

// A fileInspection inspects the pack in any file, or a program.
type fileInspection struct {
	options  Options
	locks    []string // to compare a program with
	name     string
	maxPiped int64 // bytes that are copied of what is no regular file
}

// run inspects the file.
func (i fileInspection) run(ctx context.Context) (*Inspection, error) {
	info, err := os.Stat(i.name)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil, &UsageError{Subject: fmt.Sprintf("%+q", i.name), Reason: "is neither a pack of packs.toml, nor a file, nor a reference"}
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, &UsageError{Subject: fmt.Sprintf("%+q", i.name), Reason: "is a directory, not a pack"}
	}
	file, err := openPatiently(ctx, i.name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info.Mode().IsRegular() {
		return i.read(ctx, io.NewSectionReader(file, 0, info.Size()))
	}
	return i.readPipe(ctx, file)
}

// openPatiently is os.Open, but ctx ends the wait for the writer of a pipe.
func openPatiently(ctx context.Context, name string) (*os.File, error) {
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		file, err := os.Open(name)
		done <- opened{file, err}
	}()
	select {
	case o := <-done:
		return o.file, o.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// readPipe inspects the bytes of a pipe: it reads once, and bounds the size.
func (i fileInspection) readPipe(ctx context.Context, pipe *os.File) (*Inspection, error) {
	copied, err := scratch.New()
	if err != nil {
		return nil, err
	}
	defer copied.Close()
	stop := context.AfterFunc(ctx, func() { pipe.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	n, err := io.Copy(copied, verified.Reader(ctx, io.LimitReader(pipe, i.maxPiped+1)))
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, err
	case n > i.maxPiped:
		return nil, i.tooLarge(copied)
	}
	return i.read(ctx, copied)
}

// tooLarge is the error about a pipe with more bytes than are copied. A pack of this size is of no
// use, but a program may be.
func (i fileInspection) tooLarge(begin gtpack.Source) error {
	format, err := program.FormatOf(begin)
	switch {
	case err != nil:
		return err
	case format != "":
		return &UsageError{Subject: fmt.Sprintf("%+q", i.name), Reason: fmt.Sprintf("is a pipe, and a program of more than %d bytes is only read from a file", i.maxPiped)}
	}
	return tooLarge("the pack has", begin.Size())
}

// read inspects bytes. It hashes only packs: other files may be large.
func (i fileInspection) read(ctx context.Context, bytes gtpack.Source) (*Inspection, error) {
	f, err := program.New(bytes, bytes.Size())
	var other *ProgramFormatError
	switch {
	case err == nil:
		p, err := i.options.inspectProgram(ctx, i.name, f, i.locks)
		if err != nil {
			return nil, err
		}
		return &Inspection{Program: p}, nil
	case !errors.As(err, &other) || other.IsMalformed:
		return nil, aboutProgram(i.name, err)
	case i.locks != nil:
		return nil, notProgram(i.name)
	}
	pack, err := gtpack.Read(ctx, bytes)
	if err != nil {
		return nil, about(i.name, err)
	}
	content, err := verified.Measure(ctx, io.NewSectionReader(bytes, 0, bytes.Size()))
	return &Inspection{Pack: pack, Content: content, Path: i.name}, err
}

// notProgram is the error about locks for what is no program.
func notProgram(what string) error {
	return &UsageError{Subject: fmt.Sprintf("%+q", what), Reason: "is not a compiled program, and only these are compared with a packs.lock"}
}
