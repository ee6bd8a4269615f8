package registry_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

// echo answers requests under prefix that show a header of that scheme with all
// that they show, in clear and as it came.
func echo(prefix, scheme string, status int) packtest.Fault {
	f := fault.ErrorBody(prefix, status, nil)
	match := f.Match
	f.Match = func(r *http.Request) bool {
		return match(r) && strings.HasPrefix(r.Header.Get("Authorization"), scheme+" ")
	}
	f.Serve = func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		header := r.Header.Get("Authorization")
		_, secret, _ := strings.Cut(header, " ")
		clear, _ := base64.StdEncoding.DecodeString(secret)
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]string{
			"code": fmt.Sprintf("BAD %s %s", clear, header), "message": fmt.Sprintf("bad credentials: %s (%s)", clear, header)}}})
	}
	return f
}

// wantNoSecret wants a text without anything that reg was shown.
func wantNoSecret(t *testing.T, reg *packtest.Registry, text string) {
	t.Helper()
	secrets := []string{packtest.Password}
	for _, r := range reg.Requests() {
		if _, secret, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
			secrets = append(secrets, secret)
		}
	}
	if len(secrets) == 1 {
		t.Fatal("the registry was shown nothing that it could repeat")
	}
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("the message repeats %q: %q", secret, text)
		}
	}
}

// Debug pages and firewalls repeat the headers that they were sent: a password,
// the header with it, a token, be it for nobody.
func TestFault10_RegistryEchoes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options packtest.Options
		scheme  string
	}{
		"basic":            {private(packtest.Options{}), "Basic"},
		"token":            {private(packtest.Options{Token: true}), "Bearer"},
		"token for nobody": {packtest.Options{Token: true}, "Bearer"},
	} {
		for _, status := range []int{400, 403, 404, 418, 429, 500} {
			t.Run(fmt.Sprint(name, " ", status), func(t *testing.T) {
				t.Parallel()
				b := newFixture(t, test.options)
				var w waits
				o := w.options()
				o.Keychain = b.holding(good())
				b.use(t, o)
				b.reg.Inject(echo("/v2/"+repository, test.scheme, status))
				_, blobErr := b.fetch()
				for _, err := range []error{b.manifest(), blobErr} {
					e := as[*registry.Error](t, err)
					wantNoSecret(t, b.reg, err.Error()+e.Code+e.Message)
				}
				for _, told := range w.told {
					wantNoSecret(t, b.reg, told.Err.Error())
				}
			})
		}
	}
}

// The codes of the specification cannot be secrets and are shown.
func TestFault10_CodesAreNoEcho(t *testing.T) {
	t.Parallel()
	b := newFixture(t, private(packtest.Options{}))
	b.use(t, registry.Options{Keychain: b.holding(good())})
	f := echo(b.manifestPath(), "Basic", http.StatusTeapot)
	f.Serve = func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, `{"errors":[{"code":"DENIED","message":%q}]}`, r.Header.Get("Authorization"))
	}
	b.reg.Inject(f)
	wantText(t, b.manifest(), "GET "+b.reg.URL()+b.manifestPath()+": 418 I'm a teapot: DENIED")
}

// The fields of an Error are for whoever prints them: as harmless as its text.
func TestFault24_FieldsAreEscaped(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{})
	long := strings.Repeat("x", 1000)
	b.reg.Inject(fault.ErrorBody(b.manifestPath(), http.StatusForbidden, []byte(`{"errors":[{"code":"\u001b[2J\u202e","message":"`+long+`"}]}`)))
	err := b.manifest()
	e := as[*registry.Error](t, err)
	if want := `"\x1b[2J\u202e"`; e.Code != want {
		t.Errorf("code %q, want %q", e.Code, want)
	}
	if want := long[:200] + "..."; e.Message != want {
		t.Errorf("message %q, want %q", e.Message, want)
	}
	wantText(t, err, "GET "+b.reg.URL()+b.manifestPath()+": 403 Forbidden: "+e.Code+": "+e.Message)
}

// A keychain need not say where it has credentials from.
func TestFault10_CredentialsWithoutASource(t *testing.T) {
	t.Parallel()
	b := newFixture(t, private(packtest.Options{}))
	b.use(t, registry.Options{Keychain: b.holding(credentials.Credentials{Username: "s3cret-user", Password: "s3cret-password"})})
	err := b.manifest()
	wantText(t, err, "GET "+b.reg.URL()+b.manifestPath()+
		": 401 Unauthorized: UNAUTHORIZED: authentication required; with the credentials that there are: 401 Unauthorized")
	wantHarmless(t, err)
}

// The address of a redirect may be signed, and is for the host that it names.
func TestFault10_NoReferer(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		first, second := start(t, packtest.Options{}), start(t, packtest.Options{})
		b.reg.Inject(fault.RedirectBlob("", first.URL()+"/a?X-Signature=s3cret"))
		first.Inject(fault.Redirect("/a", second.URL()+"/b"))
		second.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
			w.Write(b.data)
			return true
		})
		got, err := b.fetch()
		b.wantPack(t, got, err)
		wantRequests(t, second, "GET /b")
		for _, r := range slices.Concat(b.reg.Requests(), first.Requests(), second.Requests()) {
			if got := r.Header.Get("Referer"); got != "" {
				t.Errorf("%s: Referer %q", r, got)
			}
		}
	})
}

// The status of a host after a blob's redirect says nothing about the user: the
// credentials stay in use if they are good, and are shown to no other host.
func TestFault13_RefusedElsewhere(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403, 404} {
		for name, o := range map[string]packtest.Options{"public": {Token: true}, "private": private(packtest.Options{Token: true})} {
			t.Run(fmt.Sprint(name, " ", status), func(t *testing.T) {
				t.Parallel()
				b, elsewhere := newFixture(t, o), start(t, packtest.Options{})
				keys := b.holding(good())
				b.use(t, registry.Options{Keychain: keys})
				if err := b.manifest(); err != nil {
					t.Fatal(err)
				}
				asked := len(keys.hosts())
				b.reg.Inject(fault.RedirectBlob("", elsewhere.URL()+"/x"))
				elsewhere.Inject(fault.Status("/x", status, nil))
				b.reg.ResetRequests()
				_, err := b.fetch()
				if e := as[*registry.Error](t, err); e.Status != status || e.Reason != "" {
					t.Errorf("got %v", err)
				}
				if err := b.manifest(); err != nil {
					t.Error(err)
				}
				wantShown(t, b.reg, "GET "+b.blobPath()+" bearer", "GET "+b.manifestPath()+" bearer")
				wantShown(t, elsewhere, "GET /x")
				if got := len(keys.hosts()); got != asked {
					t.Errorf("the keychain was asked for %q", keys.hosts())
				}
			})
		}
	}
}
