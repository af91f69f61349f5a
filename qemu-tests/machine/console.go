package machine

import (
	"bufio"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// console is what a machine has printed. Lines come from one goroutine and are
// read by any.
type console struct {
	mu    sync.Mutex
	lines []string
	more  chan struct{} // closed, and replaced, when there is a new line
	over  bool          // there will be no more
	seen  int           // lines that until has gone past
}

func newConsole() *console { return &console{more: make(chan struct{})} }

// read takes lines until r ends, and calls each with every one.
func (c *console) read(r io.Reader, each func(line string)) {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			line = strings.TrimRight(line, "\r\n")
			c.add(line, false)
			each(line)
		}
		if err != nil {
			c.add("", true)
			return
		}
	}
}

func (c *console) add(line string, over bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if over {
		c.over = true
	} else {
		c.lines = append(c.lines, line)
	}
	close(c.more)
	c.more = make(chan struct{})
}

var (
	errEnded = errors.New("the machine has ended")
	errLate  = errors.New("not in time")
)

// until waits for a line that matches, after the one it returned last.
func (c *console) until(pattern *regexp.Regexp, within time.Duration) (string, error) {
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	for {
		line, found, over, more := c.next(pattern)
		switch {
		case found:
			return line, nil
		case over:
			return "", errEnded
		}
		select {
		case <-more:
		case <-deadline.C:
			return "", errLate
		}
	}
}

// next looks at the lines that are there.
func (c *console) next(pattern *regexp.Regexp) (line string, found, over bool, more <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.seen < len(c.lines) {
		line := c.lines[c.seen]
		c.seen++
		if pattern.MatchString(line) {
			return line, true, false, nil
		}
	}
	return "", false, c.over, c.more
}

// all is a copy of the lines so far.
func (c *console) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.lines)
}
