package trial

import "math/rand/v2"

// A Size says how large a fleet is. The same size gives the same fleet every time.
type Size struct {
	Projects  int   `json:"projects"`  // that run at once
	Groups    int   `json:"groups"`    // of projects that share a home folder, and so a cache
	Packs     int   `json:"packs"`     // of a project
	Catalogue int   `json:"catalogue"` // packs that there are, each in a repository of its own
	Releases  int   `json:"releases"`  // packs that get a new version
	Bytes     int64 `json:"bytes"`     // of a pack
	Pulls     int   `json:"pulls"`     // that an origin answers in a round, if it limits
}

// Draw returns the packs that each project has.
func (s Size) Draw() [][]int {
	random := rand.New(rand.NewPCG(1, 2))
	all := make([][]int, s.Projects)
	for project := range all {
		all[project] = random.Perm(s.Catalogue)[:s.Packs]
	}
	return all
}

// Group returns the group of a project.
func (s Size) Group(project int) int { return project % s.Groups }

// IsReleased reports whether a pack gets a new version.
func (s Size) IsReleased(pack int) bool { return pack < s.Releases }
