package process_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"lambda-authorizer/local/process"
)

// roleVariable makes the test binary play a part in its own tests.
const roleVariable = "PROCESS_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "parent": // starts a child, names it, and waits to be killed
		cmd := exec.Command("sleep", "600")
		p, err := process.Start(cmd)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(p.PID())
		<-p.Done()
	default:
		os.Exit(m.Run())
	}
}

func TestChildDiesWithAParentThatIsKilled(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Log("only Linux kills a child with its parent")
		return
	}
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), roleVariable+"=parent")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // killed, so an error
	awaitGone(t, child)
}

func TestStopKillsAChildThatWillNotEnd(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("sh", "-c", `trap "" TERM; echo ready; while :; do sleep 600; done`)
	said := make(lines, 1)
	cmd.Stdout = said
	p, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	<-said
	p.Stop(10 * time.Millisecond)
	awaitGone(t, p.PID())
	if p.Err() == nil {
		t.Error("Err() = nil for a killed child")
	}
	p.Stop(time.Hour) // an ended child: returns at once
}

func TestStopLetsAChildEndByItself(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("sh", "-c", `trap "exit 0" TERM; echo ready; while :; do sleep 0.01; done`)
	said := make(lines, 1)
	cmd.Stdout = said
	p, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	<-said
	p.Stop(time.Minute)
	if err := p.Err(); err != nil {
		t.Errorf("Err() = %v for a child that ended by itself", err)
	}
}

func TestStartNamesAProgramThatIsNotThere(t *testing.T) {
	t.Parallel()
	_, err := process.Start(exec.Command("/no/such/program"))
	if err == nil || !strings.Contains(err.Error(), "/no/such/program") {
		t.Errorf("Start = %v", err)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	t.Parallel()
	var tail process.Tail
	for range 1000 {
		fmt.Fprintln(&tail, "some line or other")
	}
	fmt.Fprintln(&tail, "the last words")
	got := tail.String()
	if len(got) > 4<<10 || !strings.HasSuffix(got, "the last words") {
		t.Errorf("Tail keeps %d bytes ending in %q", len(got), got[max(0, len(got)-20):])
	}
}

// lines hands on what a child writes.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func awaitGone(t *testing.T, pid int) {
	t.Helper()
	for range 500 {
		if syscall.Kill(pid, 0) != nil || zombie(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d still runs", pid)
}

// zombie: ended, but nobody in this container reaps orphans.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}
