// Porcupine on one history that upheaval's benchmark wrote: prints seconds on the wall, seconds of a
// processor, verdict and peak memory, tab-separated.
//
// Usage: porcupine FILE SECONDS_MAX BYTES_MAX. A line of the file is an operation on a register:
// key, client, place of the invocation, place of the return (-1: nobody knows), r|w|c, two arguments, ok|fail|info, value.
package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/anishathalye/porcupine"
)

type input struct {
	key  int
	f    byte
	a, b int
}

type output struct {
	known, ok bool
	value     int
}

// The same as our cas-register with observed failures: a compare-and-set that failed saw another value.
var register = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		at := map[int]int{}
		var parts [][]porcupine.Operation
		for _, operation := range history {
			key := operation.Input.(input).key
			part, there := at[key]
			if !there {
				part = len(parts)
				at[key] = part
				parts = append(parts, nil)
			}
			parts[part] = append(parts[part], operation)
		}
		return parts
	},
	Init: func() interface{} { return -1 },
	Step: func(state, in, out interface{}) (bool, interface{}) {
		now, i, o := state.(int), in.(input), out.(output)
		switch i.f {
		case 'r':
			return !o.known || o.value == now, now
		case 'w':
			return true, i.a
		}
		if now == i.a {
			return !o.known || o.ok, i.b
		}
		return !o.known || !o.ok, now
	},
	Equal: func(a, b interface{}) bool { return a == b },
}

func main() {
	history, err := read(os.Args[1])
	seconds, secondsErr := strconv.ParseFloat(os.Args[2], 64)
	bytesMax, bytesErr := strconv.ParseUint(os.Args[3], 10, 64)
	if err != nil || secondsErr != nil || bytesErr != nil {
		fmt.Fprintln(os.Stderr, "usage: porcupine FILE SECONDS_MAX BYTES_MAX:", err)
		os.Exit(2)
	}
	begin, beginProcessor := time.Now(), processorSeconds()
	tell := func(verdict string, bytes uint64) {
		wall := time.Since(begin).Seconds()
		fmt.Printf("%.4f\t%.4f\t%s\t%d\n", wall, processorSeconds()-beginProcessor, verdict, bytes)
		os.Exit(0)
	}
	go func() {
		var stats runtime.MemStats
		for {
			runtime.ReadMemStats(&stats)
			if stats.Sys > bytesMax {
				tell("out of memory", stats.Sys)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	result := porcupine.CheckOperationsTimeout(register, history, time.Duration(seconds*float64(time.Second)))
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	words := map[porcupine.CheckResult]string{porcupine.Ok: "pass", porcupine.Illegal: "violation", porcupine.Unknown: "time is over"}
	tell(words[result], stats.Sys)
}

// The time that this program had a processor: on a busy machine the time on the wall says little.
func processorSeconds() float64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func read(path string) ([]porcupine.Operation, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var history []porcupine.Operation
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		words := strings.Split(lines.Text(), "\t")
		if len(words) != 9 {
			return nil, fmt.Errorf("strange line: %s", lines.Text())
		}
		n := make([]int, 9)
		for _, column := range []int{0, 1, 2, 3, 5, 6, 8} {
			if n[column], err = strconv.Atoi(words[column]); err != nil {
				return nil, err
			}
		}
		end := int64(n[3])
		if end < 0 {
			end = math.MaxInt64
		}
		history = append(history, porcupine.Operation{
			ClientId: n[1],
			Input:    input{n[0], words[4][0], n[5], n[6]},
			Call:     int64(n[2]),
			Output:   output{words[7] != "info", words[7] == "ok", n[8]},
			Return:   end,
		})
	}
	return history, lines.Err()
}
