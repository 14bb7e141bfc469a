package machine

import (
	"bytes"
	"fmt"
	"strconv"
)

// thermalNotice is the name under which macOS tells its thermal pressure.
const thermalNotice = "com.apple.system.thermalpressurelevel"

// mostThermal is the highest level of OSThermalNotification.h: sleeping.
const mostThermal = 4

// parseThermalLevel reads what `notifyutil -g` prints of a state: its name and a number.
func parseThermalLevel(out []byte) (int, error) {
	words := bytes.Fields(out)
	if len(words) != 2 || string(words[0]) != thermalNotice {
		return 0, fmt.Errorf("notifyutil says %.80q", out)
	}
	level, err := strconv.Atoi(string(words[1]))
	if err != nil || level < 0 || level > mostThermal {
		return 0, fmt.Errorf("notifyutil says %.80q, want a level from 0 to %d", out, mostThermal)
	}
	return level, nil
}

// memoryLevel returns the level that the sysctl kern.memorystatus_vm_pressure_level gives; nil where it is none of those
// that the kernel has: 1 normal, 2 warning, 4 critical.
func memoryLevel(v uint32) *int {
	switch v {
	case 1, 2, 4:
		level := int(v)
		return &level
	}
	return nil
}
