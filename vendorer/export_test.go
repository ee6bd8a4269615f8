package vendorer

// MakePlan is pure: tests call it without a project.
var MakePlan = makePlan
