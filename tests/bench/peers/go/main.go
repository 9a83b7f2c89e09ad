// The benchmark's three workloads through github.com/gocql/gocql.
//
//	peer --target HOST:PORT --workload insert|select|page --inflight N --threads N < rounds
//
// Each line of standard input is a number of requests; each is answered with one line of JSON.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gocql/gocql"
)

const (
	insertCQL = "INSERT INTO bench.rows (name, number, id, at, data) VALUES (?, ?, ?, ?, ?)"
	selectCQL = "SELECT name, number, id, at, data FROM bench.rows WHERE id = ?"
	pageCQL   = "SELECT name, number, id, at, data FROM bench.rows"
	pageRows  = 5000
	templates = 64
)

// The cells of a row. Rows repeat after 64 but for their id.
type row struct {
	name   string
	number int32
	id     int64
	at     int64
	data   []byte
}

type peer struct {
	session  *gocql.Session
	workload string
	rows     [templates]row
	sums     [templates]uint64
	pageSum  uint64
}

// To read a string is to take its length and its ends, as in the C programs.
func sumBytes[T string | []byte](b T) uint64 {
	if len(b) == 0 {
		return 0
	}
	return uint64(len(b)) + uint64(b[0]) + uint64(b[len(b)-1])
}

// All cells but the id.
func (r *row) sum() uint64 {
	return sumBytes(r.name) + uint64(r.number) + uint64(r.at) + sumBytes(r.data)
}

func (p *peer) one(id int64, r *row) error {
	return p.session.Query(selectCQL, id).Scan(&r.name, &r.number, &r.id, &r.at, &r.data)
}

func (p *peer) learn() error {
	for i := range p.rows {
		if err := p.one(int64(i), &p.rows[i]); err != nil {
			return err
		}
		p.sums[i] = p.rows[i].sum()
	}
	for id := 0; id < pageRows; id++ {
		p.pageSum += p.sums[id%templates] + uint64(id)
	}
	return nil
}

func (p *peer) insert(id int64) error {
	r := &p.rows[id%templates]
	return p.session.Query(insertCQL, r.name, r.number, id, r.at, r.data).Exec()
}

func (p *peer) selectOne(id int64) error {
	var r row
	if err := p.one(id, &r); err != nil {
		return err
	}
	if r.id != id || r.sum() != p.sums[id%templates] {
		return errors.New("another row than asked for")
	}
	return nil
}

func (p *peer) page() error {
	var r row
	var sum uint64
	count := 0
	iter := p.session.Query(pageCQL).PageSize(pageRows).PageState(nil).Iter()
	for iter.NumRows() > count && iter.Scan(&r.name, &r.number, &r.id, &r.at, &r.data) {
		sum += r.sum() + uint64(r.id)
		count++
	}
	if err := iter.Close(); err != nil {
		return err
	}
	if count != pageRows || sum != p.pageSum {
		return errors.New("the cells do not add up")
	}
	return nil
}

func (p *peer) request(id int64) error {
	switch p.workload {
	case "insert":
		return p.insert(id)
	case "select":
		return p.selectOne(id)
	}
	return p.page()
}

// As many goroutines as requests in flight take the next request as soon as theirs is answered.
func (p *peer) round(inflight int, requests int64) error {
	var next atomic.Int64
	var wait sync.WaitGroup
	failed := make(chan error, inflight)
	for i := 0; i < inflight; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for {
				id := next.Add(1) - 1
				if id >= requests {
					return
				}
				if err := p.request(id); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	wait.Wait()
	close(failed)
	return <-failed
}

func connect(target string) (*gocql.Session, error) {
	host, port, err := net.SplitHostPort(target)
	if err != nil {
		return nil, err
	}
	cluster := gocql.NewCluster(host)
	if cluster.Port, err = strconv.Atoi(port); err != nil {
		return nil, err
	}
	cluster.ProtoVersion = 4
	cluster.NumConns = 1
	cluster.Timeout = 60 * time.Second
	cluster.ConnectTimeout = 10 * time.Second
	cluster.Consistency = gocql.LocalOne
	return cluster.CreateSession()
}

func run() error {
	target := flag.String("target", "", "host:port of the responder")
	workload := flag.String("workload", "select", "insert, select or page")
	inflight := flag.Int("inflight", 1, "requests in flight")
	threads := flag.Int("threads", 1, "threads that run Go code")
	flag.Parse()
	runtime.GOMAXPROCS(*threads)
	session, err := connect(*target)
	if err != nil {
		return err
	}
	defer session.Close()
	p := &peer{session: session, workload: *workload}
	if err := p.learn(); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		requests, err := strconv.ParseInt(strings.TrimSpace(lines.Text()), 10, 64)
		if err != nil {
			return err
		}
		began := time.Now()
		if err := p.round(*inflight, requests); err != nil {
			return err
		}
		fmt.Printf("{\"program\":\"gocql\",\"requests\":%d,\"wall_ns\":%d}\n", requests,
			time.Since(began).Nanoseconds())
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}
