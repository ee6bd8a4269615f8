package trial

import "testing"

// checkDirect: there is no proxy, and a project takes one token for each repository.
func checkDirect(t *testing.T, r Round) {
	if r.Proxy != (Traffic{}) || r.Filling != (Traffic{}) {
		t.Errorf("asked of a proxy that is not there: %+v, %+v", r.Proxy, r.Filling)
	}
	least := r.Origin.Manifests
	if r.Phase == Update {
		least = small.Projects * small.Packs
	}
	if got := r.Origin.Tokens; got < least || got > small.Projects*small.Packs {
		t.Errorf("%d tokens, want from %d to %d", got, least, small.Projects*small.Packs)
	}
}

// checkProxy: the proxy asks the origin for a pack at least once and, if several want it at
// the same time, as often as it is asked. Tags go to the origin, and then all that they lead
// to.
func checkProxy(t *testing.T, r Round) {
	if r.Filling != (Traffic{}) {
		t.Errorf("nobody went first: %+v", r.Filling)
	}
	if r.Phase == Update {
		if r.Proxy != (Traffic{}) {
			t.Errorf("update asks the proxy: %+v", r.Proxy)
		}
		return
	}
	least := map[Phase]int{Cold: small.Catalogue, Again: small.Releases}[r.Phase]
	for _, kind := range []struct {
		name      string
		got, most int
	}{
		{"manifests", r.Origin.Manifests, r.Proxy.Manifests + r.Proxy.Broken},
		{"blobs", r.Origin.Blobs, 2*r.Proxy.Blobs + r.Proxy.Broken},
	} {
		if kind.got < least || kind.got > kind.most {
			t.Errorf("%d %s at the origin, want from %d to %d", kind.got, kind.name, least, kind.most)
		}
	}
}

// checkFilled: one job reads everything through the proxy, which asks twice for each blob.
// Then the projects cost the origin no pull: a proxy asks it only for tags.
func checkFilled(t *testing.T, r Round) {
	first, then := map[Phase]string{
		Cold:   "8 manifests, 16 blobs, 0 lists",
		Update: "3 manifests, 6 blobs, 8 lists, 11 digests",
		Again:  "0 manifests, 0 blobs, 0 lists",
	}, map[Phase]string{
		Cold:   "0 manifests, 0 blobs, 0 lists",
		Update: "0 manifests, 0 blobs, 24 lists, 34 digests",
		Again:  "0 manifests, 0 blobs, 0 lists",
	}
	if got, want := asked(r.Filling), first[r.Phase]; got != want {
		t.Errorf("the first job costs %s, want %s", got, want)
	}
	if got, want := asked(r.Origin), then[r.Phase]; got != want {
		t.Errorf("the projects cost %s, want %s", got, want)
	}
	if f := r.Filling; r.Phase == Cold && (f.Tokens != 2*f.Manifests || f.BlobHeads < f.Manifests || f.BlobHeads > f.Blobs) {
		t.Errorf("the first job costs %+v, want two tokens for each pack, and a HEAD or two for each blob", f)
	}
	if r.Phase != Update && r.Origin != (Traffic{}) {
		t.Errorf("the origin is asked: %+v", r.Origin)
	}
}
