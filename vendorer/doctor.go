package vendorer

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packcache"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/git"
	"github.com/greenticai/packvendor/vendorer/internal/gotool"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// examineWait bounds the wait of Examine for another run.
const examineWait = time.Second

type (
	// CacheOthers are users and groups besides this user and root.
	CacheOthers = packcache.Others
	// A CacheAccess tells who can write the cache's root.
	CacheAccess = packcache.Access
	// A Greeting is a registry's answer to the question how to authenticate.
	Greeting = fetch.Greeting
	// A ProxyError reports a variable that holds no proxy's address.
	ProxyError = fetch.ProxyError
)

// An Examination is the state of packs.toml and packs.lock. Examine hashes no pack.
type Examination struct {
	File, LockFile string // as shown to the user
	Missing        bool   // there is no File
	NoModule       bool   // the directory of File is in no Go module
	Packs          int    // 0 if packs.toml makes no sense
	// TOMLErr is the reason why packs.toml cannot be used; LockErr that of packs.lock, or
	// a *LockedError where a run would change it. LockErr is nil if TOMLErr is not.
	TOMLErr, LockErr error
	// Registries are the hosts of the packs' references, by name; none if packs.toml makes
	// no sense.
	Registries []string
	references []ociref.Reference // of the packs
	Insecure   []string           // insecure_registries
	// Vendored counts the packs whose entry in packs.lock is not to change. VendoredSize are
	// the bytes of their files. VendoredErr has a *VendoredError for each of them whose file
	// is missing, has another size, or is a Git LFS pointer.
	Vendored     int
	VendoredSize int64
	VendoredErr  error
	// Local counts the packs with a path. LocalAbsent of their files are not there. LocalErr has
	// an error for each file that a run cannot use, or that is beside a ref.
	Local       int
	LocalAbsent int
	LocalErr    error
	// StubErr is an *OverrideError where the flags of all go commands choose the stub.
	StubErr error
}

// Examine examines the project of o.File, without network. It waits a second for another
// run there, since a run that hangs is what its user looks for. The error is the cause of
// ctx's end.
func Examine(ctx context.Context, o Options) (*Examination, error) {
	o.Events, o.LockWait = nil, min(o.lockWait(), examineWait)
	x := &Examination{File: o.file()}
	x.TOMLErr = x.read(ctx, o)
	_, err := os.Lstat(o.file())
	x.Missing = errors.Is(err, fs.ErrNotExist)
	x.NoModule = errors.As(x.TOMLErr, new(*NoModuleError))
	if config := configured(o.file()); config != nil {
		x.Packs, x.Registries, x.Insecure = len(config.Packs), registriesOf(config.Packs), config.InsecureRegistries
		for _, pack := range config.Packs {
			if pack.Path == "" && pack.Reference.Registry != "" {
				x.references = append(x.references, pack.Reference)
			}
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return x, nil
}

// read reads the project, and returns the error about packs.toml.
func (x *Examination) read(ctx context.Context, o Options) error {
	lock, err := o.rlock(ctx)
	if err != nil {
		return err
	}
	p, err := project.At(o.file(), lock)
	if err != nil {
		return err
	}
	defer p.Close()
	if err := p.ReadConfig(o.file(), false); err != nil {
		return err
	}
	x.LockFile = p.Show(p.LockFile)
	x.StubErr = stubTagError(p, gotool.New(p.Module, p.Dir))
	c, err := o.clientOf(p)
	if err != nil {
		return err
	}
	s := newSession(c, p)
	if x.LockErr = p.ReadLock(); x.LockErr == nil {
		plan, err := s.roughPlan(ctx)
		var sound []Step
		sound, x.LockErr = s.examineLock(plan)
		x.VendoredErr = errors.Join(err, x.examineVendored(s, sound))
		x.LocalErr = x.examineLocalFiles(s, plan)
	}
	return nil
}

// roughPlan makes the plan of a run without a hash: a file of the locked size passes for what is
// locked. The error is about vendored files that cannot be looked at.
func (s *session) roughPlan(ctx context.Context) (Plan, error) {
	vendored, files := map[string]Vendored{}, map[string]LocalFile{}
	var errs []error
	for _, pack := range s.p.Config.Packs {
		entry, _ := s.p.Lock.Entry(pack.Name)
		is, err := s.p.Look(ctx, pack.Name)
		errs = append(errs, err)
		is.Content = passing(is.Content, entry)
		vendored[pack.Name] = is
		if pack.Path != "" {
			file := s.p.LookLocalFile(pack.Path)
			file.Content = passing(file.Content, entry)
			files[pack.Name] = file
		}
	}
	return makePlan(s.p.Config.Packs, s.p.Lock, vendored, files, nil), errors.Join(errs...)
}

// passing returns the content of an entry for a file of its size.
func passing(is verified.Content, entry lockfile.Entry) verified.Content {
	if is.Size == entry.Size {
		return project.ContentOf(entry)
	}
	return is
}

// examineLock compares packs.lock with itself, with packs.toml, and with the manifests
// that the cache has. It returns the steps in whose entries nothing is wrong.
func (s *session) examineLock(plan Plan) (sound []Step, err error) {
	var errs []error
	for _, step := range plan.Steps {
		if step.Action == Resolve {
			continue
		}
		if _, err := s.checkLocked(&task{Step: step}); err != nil {
			errs = append(errs, s.packError(step.Pack, step.Action, &step.Locked, err))
			continue
		}
		sound = append(sound, step)
	}
	return sound, errors.Join(append(errs, s.lockedError(plan))...)
}

// examineVendored looks at the files of locked packs.
func (x *Examination) examineVendored(s *session, steps []Step) error {
	var errs []error
	for _, step := range steps {
		x.Vendored++
		x.VendoredSize += step.Vendored.Size
		if step.Vendored.LFS || step.Vendored.Size != step.Locked.Size {
			errs = append(errs, s.vendoredFinding(step))
		}
	}
	return errors.Join(errs...)
}

// examineLocalFiles looks at the local files of packs.
func (x *Examination) examineLocalFiles(s *session, plan Plan) error {
	var errs []error
	for _, step := range plan.Steps {
		if step.Pack.Path == "" {
			continue
		}
		x.Local++
		if step.Local.IsMissing() {
			x.LocalAbsent++
		}
		err := step.localFileError()
		if developed := step.developedError(); err == nil && developed != nil {
			err = developed
		}
		if err != nil {
			errs = append(errs, s.packError(step.Pack, Resolve, nil, err))
		}
	}
	return errors.Join(errs...)
}

func registriesOf(packs []packsfile.Pack) []string {
	var hosts []string
	for _, pack := range packs {
		if host := pack.Reference.Registry; host != "" {
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// ExamineCache finds out who can write the cache's root.
func ExamineCache(o Options) CacheAccess { return o.cache().Access() }

// A Network asks registries, and nothing of their repositories.
type Network struct {
	c          *client
	references []ociref.Reference // of the packs
}

// NewNetwork returns the network of a project; x may lack a packs.toml.
func (x *Examination) NewNetwork(o Options) (*Network, error) {
	c, err := o.newClient(filepath.Dir(o.file()), func(f *packfetch.Options, _ *progressCounter) {
		f.InsecureRegistries = x.Insecure
	})
	return &Network{c, x.references}, err
}

// Mirrors says where the references of the packs lead. Without packs it says so of a repository
// of one registry. It asks nobody. Errors are those of ExplainMirrors.
func (n *Network) Mirrors(registry string) ([]*MirrorExplanation, error) {
	references := n.references
	if len(references) == 0 {
		references = []ociref.Reference{{Registry: registry, Repository: "packs"}}
	}
	var list []*MirrorExplanation
	for _, ref := range references {
		e, err := n.c.ExplainSources(ref)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// Proxy returns the proxy for a registry, without user and password; "" if there is
// none. The error is *ProxyError.
func (n *Network) Proxy(host string) (string, error) { return n.c.Proxy(host) }

// Ping asks registries, each once and without credentials, how to authenticate. It calls
// tell with the index of each host, concurrently.
func (n *Network) Ping(ctx context.Context, hosts []string, tell func(i int, g Greeting, err error)) error {
	return n.ping(ctx, hosts, n.c.Ping, tell)
}

// PingMirrors is Ping for mirrors, and for locations in the place of registries.
func (n *Network) PingMirrors(ctx context.Context, hosts []string, tell func(i int, g Greeting, err error)) error {
	return n.ping(ctx, hosts, n.c.PingMirror, tell)
}

func (n *Network) ping(ctx context.Context, hosts []string, ask func(context.Context, string) (Greeting, error), tell func(i int, g Greeting, err error)) error {
	return forEach(ctx, n.c.o, indices(len(hosts)), func(ctx context.Context, i int) error {
		g, err := ask(ctx, hosts[i])
		tell(i, g, err)
		return nil
	})
}

// A Toolchain is what the Go toolchain says of itself where a project is.
type Toolchain struct {
	Version string // "go version go1.25.0 linux/amd64"; "" with Err
	Needed  string // in the go line of go.mod; "" if it is not known
	Err     error  // why it cannot work for the module
}

// ExamineGo asks the Go toolchain for its version. It downloads none.
func ExamineGo(ctx context.Context, o Options) Toolchain {
	tool, err := toolchainAt(filepath.Dir(o.file()))
	if err != nil {
		return Toolchain{Err: err}
	}
	t := Toolchain{Needed: tool.Needed()}
	if t.Version, t.Err = tool.Version(ctx); t.Err == nil {
		t.Err = tool.TooOld(t.Version)
	}
	return t
}

// toolchainAt returns the toolchain for dir, or where there is no such directory for the
// working directory. Neither needs a go.mod file.
func toolchainAt(dir string) (*gotool.Toolchain, error) {
	if _, err := os.Stat(dir); err != nil {
		dir = "."
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	module, err := project.ModuleRoot(dir)
	if err != nil {
		return gotool.New(dir, "."), nil
	}
	below, err := filepath.Rel(module, dir)
	return gotool.New(module, filepath.ToSlash(below)), err
}

// GitVersion returns what git says of itself: "git version 2.39.5".
func GitVersion(ctx context.Context) (string, error) { return git.Version(ctx) }
