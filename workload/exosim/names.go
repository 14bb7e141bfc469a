package exosim

import (
	"exo-bench-exporter/workload/exosim/exo0"
	"exo-bench-exporter/workload/exosim/exo1"
	"exo-bench-exporter/workload/exosim/faults"
	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/truth"
	"exo-bench-exporter/workload/exosim/wire"
	"exo-bench-exporter/workload/exosim/world"
)

// What the rooms of the simulator are asked for and tell, under names of its front.
type (
	Variant      = wire.Variant
	Engine       = exo0.Engine
	Profile      = pace.Profile
	Truth        = truth.Truth
	Fault        = faults.Fault
	Kind         = faults.Kind
	InstanceInfo = exo1.InstanceInfo
	Machine      = exo1.Machine
	Process      = world.Process
	Spawner      = world.Spawner
	Child        = world.Child
)

// The variants of exo 1.x and the engines of legacy exo.
const (
	HEAD     = wire.HEAD
	V1071    = wire.V1071
	MLX      = exo0.MLX
	Tinygrad = exo0.Tinygrad
)

// The machines that a node of exo 1.x runs on, by what it tells of itself at rest.
const (
	Mac      = exo1.Mac
	QuickMac = exo1.QuickMac
	Linux    = exo1.Linux
)

// Who ends an instance, in InstanceInfo.EndedBy.
const (
	EndedByAPI      = exo1.EndedByAPI
	EndedByStranger = exo1.EndedByStranger
	EndedByFault    = exo1.EndedByFault
	EndedByExo      = exo1.EndedByExo
)

// StrangerPrompt opens the prompt of every stranger's generation.
const StrangerPrompt = world.StrangerPrompt

// The kinds of faults; faults.Table says what they do.
const (
	Slow              = faults.Slow
	MemoryLow         = faults.MemoryLow
	Unreachable       = faults.Unreachable
	StatePathsMissing = faults.StatePathsMissing
	UnknownTags       = faults.UnknownTags
	MovedFields       = faults.MovedFields
	NoPlacements      = faults.NoPlacements
	WarmBench         = faults.WarmBench
	SnakeKeys         = faults.SnakeKeys
	InstancesHidden   = faults.InstancesHidden
	DownloadStalls    = faults.DownloadStalls
	HTTPError         = faults.HTTPError
	Text500           = faults.Text500
	Unprocessable     = faults.Unprocessable
	ErrorEvent        = faults.ErrorEvent
	RunnerKilled      = faults.RunnerKilled
	Stall             = faults.Stall
	Cut               = faults.Cut
	Reset             = faults.Reset
	Empty             = faults.Empty
	InstanceDeleted   = faults.InstanceDeleted
	DeadInstance      = faults.DeadInstance
	Election          = faults.Election
	ShortAnswer       = faults.ShortAnswer
	IgnoresLimit      = faults.IgnoresLimit
	WrongUsage        = faults.WrongUsage
	SeveralTokens     = faults.SeveralTokens
	Clumped           = faults.Clumped
	HeldBack          = faults.HeldBack
	Replayed          = faults.Replayed
	Lingers           = faults.Lingers
	AnswerLost        = faults.AnswerLost
	Gibberish         = faults.Gibberish
	PlacementRefused  = faults.PlacementRefused
	InstanceVanishes  = faults.InstanceVanishes
	RunnerFails       = faults.RunnerFails
	DownloadFails     = faults.DownloadFails
	RunnerStuck       = faults.RunnerStuck
	DeleteIgnored     = faults.DeleteIgnored
	MemoryKept        = faults.MemoryKept
	RecordLeft        = faults.RecordLeft
	PlacementLate     = faults.PlacementLate
	BootSlow          = faults.BootSlow
)

// Profiles returns the models that a Node knows by default.
func Profiles() []Profile { return pace.Profiles() }

// Kinds returns all kinds of faults, sorted.
func Kinds() []Kind { return faults.Kinds() }
