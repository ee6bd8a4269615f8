package problem

import (
	"context"
	"errors"
	"fmt"
	"go/types"
	"io/fs"
	"testing"

	"golang.org/x/tools/go/packages"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer"
)

// exitCodes has every error type that the packages below export, each with an
// error of it and its exit code.
var exitCodes = map[string]struct {
	err  error
	want int
}{
	"lockfile.Error":                   {&lockfile.Error{}, 2},
	"lockfile.Errors":                  {lockfile.Errors{{}}, 2},
	"lockfile.InconsistentError":       {&lockfile.InconsistentError{}, 4},
	"packfetch.BlockedError":           {&packfetch.BlockedError{}, 2},
	"packfetch.MirrorFileError":        {&packfetch.MirrorFileError{}, 2},
	"packfetch.MirrorFileMissingError": {&packfetch.MirrorFileMissingError{}, 2},
	"packfetch.SourcesError":           {&packfetch.SourcesError{Attempts: []packfetch.Attempt{{Err: &verified.MismatchError{}}, {Err: &packfetch.RegistryError{Status: 500}}}}, 3},
	"packfetch.BundleError":            {&packfetch.BundleError{}, 2},
	"packfetch.UnreadBundleError":      {&packfetch.UnreadBundleError{Err: fs.ErrPermission}, 5},
	"packfetch.CorruptCacheError":      {&packfetch.CorruptCacheError{Err: &verified.MismatchError{}}, 4},
	"packfetch.DigestMismatchError":    {&packfetch.DigestMismatchError{}, 4},
	"packfetch.IndexError":             {&packfetch.IndexError{}, 2},
	"packfetch.InvalidReferenceError":  {&packfetch.InvalidReferenceError{}, 2},
	"packfetch.ManifestError":          {&packfetch.ManifestError{}, 4},
	"packfetch.NoPackError":            {&packfetch.NoPackError{}, 2},
	"packfetch.OfflineError":           {&packfetch.OfflineError{}, 3},
	"packfetch.OptionError":            {&packfetch.OptionError{Err: errors.New("x")}, 2},
	"packfetch.ProtocolError":          {&packfetch.ProtocolError{}, 4},
	"packfetch.PublicKeyError":         {&packfetch.PublicKeyError{}, 2},
	"packfetch.RegistryError":          {&packfetch.RegistryError{Status: 500}, 3},
	"packfetch.StorageError":           {&packfetch.StorageError{Err: fs.ErrPermission}, 5},
	"packfetch.TagDisallowedError":     {&packfetch.TagDisallowedError{}, 2},
	"packfetch.UnsearchedError":        {&packfetch.UnsearchedError{Err: &packfetch.ProtocolError{}}, 3},
	"packfetch.UnsignedError":          {&packfetch.UnsignedError{}, 4},
	"packsfile.Error":                  {&packsfile.Error{}, 2},
	"packsfile.Errors":                 {packsfile.Errors{{}}, 2},
	"packsfile.SyntaxError":            {&packsfile.SyntaxError{}, 2},
	"vendorer.TakenError":              {&vendorer.TakenError{}, 2},
	"vendorer.GoModError":              {&vendorer.GoModError{Err: errors.New("x")}, 2},
	"vendorer.GoNameError":             {&vendorer.GoNameError{}, 2},
	"vendorer.ConflictError":           {&vendorer.ConflictError{Err: &lockfile.Error{Conflict: true}}, 2},
	"vendorer.NoTagError":              {&vendorer.NoTagError{Err: &packfetch.RegistryError{Status: 404}}, 3},
	"vendorer.BusyError":               {&vendorer.BusyError{}, 5},
	"vendorer.ChangedError":            {&vendorer.ChangedError{}, 5},
	"vendorer.CIError":                 {&vendorer.CIError{}, 2},
	"vendorer.ClashError":              {&vendorer.ClashError{}, 2},
	"vendorer.ClashingAdditionError":   {&vendorer.ClashingAdditionError{ClashError: &vendorer.ClashError{}}, 2},
	"vendorer.EditError":               {&vendorer.EditError{Err: errors.New("x")}, 2},
	"vendorer.EmbedError":              {&vendorer.EmbedError{}, 1},
	"vendorer.GeneratedError":          {&vendorer.GeneratedError{}, 1},
	"vendorer.InitError":               {&vendorer.InitError{}, 2},
	"vendorer.InspectError":            {&vendorer.InspectError{Err: &gtpack.NotPackError{}}, 2},
	"vendorer.BundleError":             {&vendorer.BundleError{}, 2},
	"vendorer.InputError":              {&vendorer.InputError{Err: fs.ErrNotExist}, 2},
	"vendorer.SBOMMergeError":          {&vendorer.SBOMMergeError{File: "bom.xml", Err: errors.New("it is XML, not JSON")}, 2},
	"vendorer.SBOMLimitError":          {&vendorer.SBOMLimitError{}, 2},
	"vendorer.MissingPacksError":       {&vendorer.MissingPacksError{}, 1},
	"vendorer.LockConflictError":       {&vendorer.LockConflictError{}, 1},
	"vendorer.LockTextMergeError":      {&vendorer.LockTextMergeError{}, 1},
	"vendorer.KeepError":               {&vendorer.KeepError{Err: fs.ErrNotExist}, 2},
	"vendorer.InconsistentError":       {&vendorer.InconsistentError{}, 4},
	"vendorer.EvidenceError":           {&vendorer.EvidenceError{Err: errors.New("x")}, 4},
	"vendorer.EvidenceMissingError":    {&vendorer.EvidenceMissingError{}, 1},
	"vendorer.EvidenceSyntaxError":     {&vendorer.EvidenceSyntaxError{}, 4},
	"vendorer.NoRuleError":             {&vendorer.NoRuleError{}, 2},
	"vendorer.OverruledError":          {&vendorer.OverruledError{}, 4},
	"vendorer.TrustFileError":          {&vendorer.TrustFileError{Err: fs.ErrNotExist}, 2},
	"vendorer.OtherPackError":          {&vendorer.OtherPackError{}, 4},
	"vendorer.OtherVersionError":       {&vendorer.OtherVersionError{}, 4},
	"vendorer.SignerChangedError":      {&vendorer.SignerChangedError{}, 4},
	"vendorer.SignerLostError":         {&vendorer.SignerLostError{}, 4},
	"vendorer.SignerRefusedError":      {&vendorer.SignerRefusedError{}, 4},
	"vendorer.FingerprintError":        {&vendorer.FingerprintError{}, 4},
	"vendorer.KeyChoiceError":          {&vendorer.KeyChoiceError{}, 2},
	"vendorer.KeyFileError":            {&vendorer.KeyFileError{Err: errors.New("no")}, 2},
	"vendorer.KeyTakenError":           {&vendorer.KeyTakenError{}, 2},
	"vendorer.SameSignerError":         {&vendorer.SameSignerError{}, 2},
	"vendorer.UnknownSignerError":      {&vendorer.UnknownSignerError{}, 2},
	"vendorer.ExceptionUnprovedError":  {&vendorer.ExceptionUnprovedError{}, 1},
	"vendorer.UnaskedSignerError":      {&vendorer.UnaskedSignerError{}, 1},
	"vendorer.UncomparedError":         {&vendorer.UncomparedError{Err: &packfetch.RegistryError{Status: 503}}, 3},
	"vendorer.UnsearchedError":         {&vendorer.UnsearchedError{Err: &packfetch.ProtocolError{}}, 3},
	"vendorer.UnsignedError":           {&vendorer.UnsignedError{}, 4},
	"vendorer.UnverifiedError":         {&vendorer.UnverifiedError{Err: &vendorer.KeylessMissingError{}}, 2},
	"vendorer.KeylessMissingError":     {&vendorer.KeylessMissingError{}, 2},
	"vendorer.KeylessSettingError":     {&vendorer.KeylessSettingError{}, 2},
	"vendorer.KeylessError":            {&vendorer.KeylessError{}, 2},
	"vendorer.SizeLimitError":          {&vendorer.SizeLimitError{}, 2},
	"vendorer.LinkError":               {&vendorer.LinkError{Fault: vendorer.FaultOtherContent}, 4},
	"vendorer.MalformedMarkersError":   {&vendorer.MalformedMarkersError{}, 1},
	"vendorer.MarkerLimitError":        {&vendorer.MarkerLimitError{}, 2},
	"vendorer.MarkerVersionError":      {&vendorer.MarkerVersionError{}, 2},
	"vendorer.NoMarkerError":           {&vendorer.NoMarkerError{}, 1},
	"vendorer.ProgramFormatError":      {&vendorer.ProgramFormatError{}, 2},
	"vendorer.LockedError":             {&vendorer.LockedError{}, 1},
	"vendorer.NetworkOffError":         {&vendorer.NetworkOffError{Err: &packfetch.OfflineError{}}, 3},
	"vendorer.LongFileError":           {&vendorer.LongFileError{}, 2},
	"vendorer.NoModuleError":           {&vendorer.NoModuleError{}, 2},
	"vendorer.NoVersionError":          {&vendorer.NoVersionError{}, 2},
	"vendorer.NoProjectError":          {&vendorer.NoProjectError{}, 2},
	"vendorer.PackError":               {&vendorer.PackError{Err: fs.ErrPermission}, 5},
	"vendorer.PackageNameError":        {&vendorer.PackageNameError{}, 2},
	"vendorer.PlaceError":              {&vendorer.PlaceError{}, 2},
	"vendorer.ProxyError":              {&vendorer.ProxyError{Variable: "HTTPS_PROXY"}, 3},
	"vendorer.RangeError":              {&vendorer.RangeError{}, 2},
	"vendorer.RevisionError":           {&vendorer.RevisionError{}, 2},
	"vendorer.TagMismatchError":        {&vendorer.TagMismatchError{}, 1},
	"vendorer.RetagError":              {&vendorer.RetagError{}, 4},
	"vendorer.OverrideError":           {&vendorer.OverrideError{}, 1},
	"vendorer.UsageError":              {&vendorer.UsageError{}, 2},
	"vendorer.UnknownPackError":        {&vendorer.UnknownPackError{}, 2},
	"vendorer.VendoredError":           {&vendorer.VendoredError{Got: verified.Content{Digest: "sha256:aa"}}, 4},
	"vendorer.DevelopedError":          {&vendorer.DevelopedError{}, 1},
	"vendorer.DistFileError":           {&vendorer.DistFileError{Names: []string{"a"}}, 2},
	"vendorer.FileExportError":         {&vendorer.FileExportError{Names: []string{"a"}}, 2},
	"vendorer.NoLocalFileError":        {&vendorer.NoLocalFileError{}, 2},
	"vendorer.LocalFileGoneError":      {&vendorer.LocalFileGoneError{Err: &vendorer.NoLocalFileError{}}, 2},
	"vendorer.UnsignedFileError":       {&vendorer.UnsignedFileError{}, 4},
}

// load returns the types of packages of this module.
func load(t *testing.T, paths ...string) []*types.Package {
	t.Helper()
	for i := range paths {
		paths[i] = "github.com/greenticai/packvendor/" + paths[i]
	}
	loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	var result []*types.Package
	for _, pkg := range loaded {
		for _, err := range pkg.Errors {
			t.Fatal(err)
		}
		result = append(result, pkg.Types)
	}
	return result
}

// exported returns the package's exported types that implement iface, as such
// or as pointers.
func exported(pkg *types.Package, iface *types.Interface) []string {
	var names []string
	for _, name := range pkg.Scope().Names() {
		object, ok := pkg.Scope().Lookup(name).(*types.TypeName)
		if !ok || !object.Exported() || types.IsInterface(object.Type()) {
			continue
		}
		if types.Implements(object.Type(), iface) || types.Implements(types.NewPointer(object.Type()), iface) {
			names = append(names, pkg.Name()+"."+name)
		}
	}
	return names
}

func TestEveryErrorHasAnExitCode(t *testing.T) {
	isError := types.Universe.Lookup("error").Type().Underlying().(*types.Interface)
	found := map[string]bool{}
	for _, pkg := range load(t, "vendorer", "packfetch", "packsfile", "lockfile") {
		for _, name := range exported(pkg, isError) {
			found[name] = true
			if _, ok := exitCodes[name]; !ok {
				t.Errorf("%s has no exit code in this test", name)
			}
		}
	}
	for name, test := range exitCodes {
		if !found[name] {
			t.Errorf("%s is no error type", name)
		}
		for _, err := range []error{
			test.err,
			fmt.Errorf("wrapped: %w", test.err),
			&vendorer.PackError{Name: "a", Err: test.err},
		} {
			if got := codeOf(err); got != test.want {
				t.Errorf("%s (%T) exits with %d, want %d", name, err, got, test.want)
			}
		}
	}
}

// codeOf is the exit code of a command that fails with err.
func codeOf(err error) int {
	return Worst(Explainer{Hints: &hint.Context{}}.Explain(err)).ExitCode()
}

func TestExitCodeOfOthers(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{&vendorer.VendoredError{}, 1}, // missing
		{&vendorer.VendoredError{Got: verified.Content{Digest: "sha256:aa"}, LFS: true}, 4},
		{&UsageError{Err: errors.New("x")}, 2},
		{context.Canceled, 130},
		{&vendorer.PackError{Err: &packfetch.RegistryError{Err: context.Canceled}}, 130},
		{&fs.PathError{Op: "write", Path: "x", Err: errors.New("no space left on device")}, 5},
		{errors.New("whatever"), 5},
		{&packfetch.SourcesError{Attempts: []packfetch.Attempt{{Err: &packfetch.RegistryError{Status: 500}}, {Err: &verified.MismatchError{}}}}, 4},
		{&vendorer.PackError{Err: &packfetch.StorageError{Err: fs.ErrPermission}}, 5},
		{&vendorer.PackError{Err: &packfetch.RegistryError{Err: &verified.MismatchError{}}}, 4},
		{errors.Join(&vendorer.EmbedError{}, &vendorer.GeneratedError{}), 1},
	} {
		if got := codeOf(test.err); got != test.want {
			t.Errorf("%T %v exits with %d, want %d", test.err, test.err, got, test.want)
		}
	}
}

// Of several errors integrity wins, and drift yields.
func TestExitCodeOfSeveral(t *testing.T) {
	weight := []error{
		1: &vendorer.LockedError{},
		2: &vendorer.ClashError{},
		3: &packfetch.RegistryError{Status: 500},
		4: &packfetch.StorageError{Err: fs.ErrPermission},
		5: &vendorer.RetagError{},
	}
	codes := []int{1: 1, 2: 2, 3: 3, 4: 5, 5: 4}
	for i := 1; i < len(weight); i++ {
		for j := 1; j < len(weight); j++ {
			want := codes[max(i, j)]
			if got := codeOf(errors.Join(weight[i], errors.Join(weight[j]))); got != want {
				t.Errorf("%T and %T exit with %d, want %d", weight[i], weight[j], got, want)
			}
		}
	}
}
