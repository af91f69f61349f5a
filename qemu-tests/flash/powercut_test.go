package flash

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ginnel/network"
	"ginnel/qemu-tests/machine"
)

var (
	kills = flag.Int("kills", 2, "how often the power of each machine is cut")
	seed  = flag.Uint64("seed", uint64(time.Now().UnixNano()), "what decides on commands and moments")
)

// TestPowerCut cuts the power of a coordinator that accepts commands, at random
// moments, and looks after each boot that its book is the one all acknowledged
// commands make, or that and the one that was being given.
func TestPowerCut(t *testing.T) {
	for _, name := range []string{"jffs2", "ubifs"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d: repeat with -args -seed %[1]d", *seed)
			k, err := findKind(name)
			if err != nil {
				t.Fatal(err)
			}
			size := 1 // little, so that the file system is always moving things
			if name == "ubifs" {
				size = 8 // the least that it takes
			}
			w := &witness{t: t, board: newBoard(t, k, size), random: rand.New(rand.NewPCG(*seed, 1)), books: []*network.Book{newBook()}}
			for round := range *kills {
				w.round(uint64(round))
			}
			w.look()
			t.Logf("%d commands acknowledged, %d power cuts, in %d of them a command was being given", w.acknowledged, *kills, w.inFlight)
		})
	}
}

// witness knows what the machine has said, and so what must be in its book.
type witness struct {
	t      *testing.T
	board  *board
	random *rand.Rand
	// books are those that the machine may have: that of all acknowledged
	// commands, and the same with the command after them if that was given.
	books                  []*network.Book
	acknowledged, inFlight int
}

// round boots the machine, lets it be for a random while, cuts its power, and
// follows what it has done.
func (w *witness) round(n uint64) {
	w.t.Helper()
	seed := *seed + n
	m := machine.Boot(w.t, w.board.spec([]string{"serve", fmt.Sprint(seed)}))
	m.Until("^"+sayMounted, patience)
	moment := 3000
	if n > 0 && w.random.IntN(8) > 0 { // the others are cut while the network is made, or the daemon starts
		moment = 500
		m.Until("^"+sayReady, patience)
		for range w.random.IntN(40) {
			m.Until("^"+sayDone, patience)
		}
	}
	<-time.After(time.Duration(w.random.IntN(moment)) * time.Millisecond)
	m.Kill()
	w.follow(m.Wait().Commands[0].Output, seed)
}

// look boots the machine once more to see its book.
func (w *witness) look() {
	w.t.Helper()
	m := machine.Boot(w.t, w.board.spec([]string{"serve", "0"}))
	m.Until("^"+sayReady, patience)
	m.Kill()
	w.follow(m.Wait().Commands[0].Output, 0)
}

// follow reads what the machine has said.
func (w *witness) follow(output string, seed uint64) {
	w.t.Helper()
	lines := strings.Split(output, "\n")
	if i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "flash: ") && !known(l) }); i >= 0 {
		w.t.Fatalf("seed %d: the guest says: %s", seed, strings.Join(lines[i:], "\n"))
	}
	ready := slices.Index(lines, sayReady)
	if ready < 0 {
		return // it was not seen, and nothing has changed
	}
	book := w.recognize(factsIn(lines[:ready]), seed)
	given := rand.New(rand.NewPCG(seed, 0))
	w.books = []*network.Book{book}
	for _, l := range lines[ready:] {
		switch {
		case strings.HasPrefix(l, sayTry):
			_, next, _ := step(given, book)
			w.books = []*network.Book{book, next}
		case strings.HasPrefix(l, sayDone):
			book = w.books[1]
			w.books = w.books[1:]
			w.acknowledged++
		}
	}
	if len(w.books) == 2 {
		w.inFlight++
	}
}

// known tells whether a line is one that runServe prints, or the beginning of
// one that the power cut has ended.
func known(line string) bool {
	for _, say := range []string{sayMounted, sayFact, sayReady, sayTry, sayDone} {
		if strings.HasPrefix(line, say) || strings.HasPrefix(say, line) {
			return true
		}
	}
	return false
}

func factsIn(lines []string) (facts []string) {
	for _, l := range lines {
		if f, ok := strings.CutPrefix(l, sayFact); ok {
			facts = append(facts, f)
		}
	}
	return facts
}

// recognize returns which book has these facts; any other one fails the test.
func (w *witness) recognize(have []string, seed uint64) *network.Book {
	w.t.Helper()
	for _, b := range w.books {
		if slices.Equal(have, facts(b)) {
			return b
		}
	}
	w.t.Fatalf("seed %d: the book has\n%s\nwant, after all acknowledged commands,\n%s", seed, strings.Join(have, "\n"), strings.Join(facts(w.books[0]), "\n"))
	return nil
}
