package main

import (
	"os"
	"path/filepath"
	"testing"
)

// realInspections are the outputs of inspect -v for the real packs: standard output,
// and then standard error.
var realInspections = map[string]string{
	"cloud-deploy-demo-app": `id          quickstart.pack
version     0.1.0
kind        application
publisher   Greentic
format      pack-v1
file        cloud-deploy-demo-app.gtpack
digest      sha256:e174d89a63acd42daad2f2ddd1a77eabe0173e19b734f8efa0f14c82071f92bd
size        1.5 MB (9 files, 5.7 MB unpacked)
flows       main
components  ai.greentic.component-adaptive-card 0.2.0, 5.7 MB
signatures  none in the pack
sbom        sbom.cbor does not match: 6 of 8 files as listed, 2 differ
packvendor: sbom.cbor: manifest.cbor is not as listed
packvendor: sbom.cbor: pack.lock.cbor is not as listed
`,
	"hr-onboarding": `id          greentic.hr-onboarding.demo
version     0.1.0
kind        application
publisher   Greentic
format      pack-v1
file        hr-onboarding.gtpack
digest      sha256:efeacda6897be829b1d5b57cde19487bd51af783639f3cbdf90f47c69f75c27a
size        1.5 MB (29 files, 5.8 MB unpacked)
flows       main
components  ai.greentic.component-adaptive-card 0.1.2, 5.7 MB
signatures  none in the pack
sbom        sbom.cbor matches: 28 files
`,
	"msg-event-app": `id          helpdesk-bot
version     0.1.0
kind        application
publisher   Demo
format      pack-v1
file        msg-event-app.gtpack
digest      sha256:3786c1d0687bc9d9a78c2626d6a03a4a3f9fa9799fd5d9f96aa07e9d739948a9
size        16 kB (9 files, 15 kB unpacked)
flows       on_event, on_message
components  component-events2msg 0.0.0, not in the pack
            component-msg2events 0.0.0, not in the pack
signatures  none in the pack
sbom        sbom.cbor matches: 8 files
`,
	"noop-validator": `id          greentic.validators.noop
version     0.1.0
name        Noop Validator Pack
publisher   Greentic
format      legacy
file        noop-validator.gtpack
digest      sha256:93f2984c26827a278582fc46d46a39c0b06278f95c1e756ef84c9de5c4b79895
size        77 kB (9 files, 76 kB unpacked)
flows       main
components  noop-validator 0.1.0, 72 kB
signatures  signatures/pack.sig (not verified)
sbom        sbom.json matches: 6 files
`,
	"supply-chain": `id          greentic.supply-chain.demo
version     0.1.0
kind        application
publisher   Greentic
format      pack-v1
file        supply-chain.gtpack
digest      sha256:30f51fedf18841b14bd29bbb04a460f195f53dd77807059d4aa66039910db071
size        1.5 MB (29 files, 5.8 MB unpacked)
flows       main, on_message, order_tracking_flow, reorder_flow, stock_check_flow
components  ai.greentic.component-adaptive-card 0.2.0, 5.7 MB
signatures  none in the pack
sbom        sbom.cbor does not match: 26 of 28 files as listed, 2 differ
packvendor: sbom.cbor: manifest.cbor is not as listed
packvendor: sbom.cbor: pack.lock.cbor is not as listed
`,
}

// inspect reads real packs: of pack-v1 and of the format before it, with a component
// that the pack lacks, and with a bill of materials that does not match, which is no
// error.
func TestInspectRealPacks(t *testing.T) {
	shared := filepath.Join("..", "..", "..", "shared", "packs")
	if _, err := os.Stat(shared); err != nil {
		t.Skip("no real packs beside the project")
	}
	t.Chdir(shared)
	for name, want := range realInspections {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := runWith(t, nil, "inspect", "-v", name+".gtpack")
			if got := stdout + stderr; code != 0 || got != want {
				t.Errorf("exit code %d, and:\n%s\nwant:\n%s", code, got, want)
			}
		})
	}
}
