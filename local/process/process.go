// Package process runs child processes that never outlive the program that
// started them. It knows nothing of what the children do.
package process

import (
	"fmt"
	"os/exec"
	"runtime"
	"time"
)

// Process is a running, or ended, child. Safe for concurrent use.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start starts cmd in a process group of its own, so that a terminal's
// interrupt reaches the parent alone and the parent ends its children in
// order. On Linux the kernel kills the child when the parent is gone, however
// it went; elsewhere a child has to notice by itself (a closed standard input,
// a refused connection).
func Start(cmd *exec.Cmd) (*Process, error) {
	if cmd.WaitDelay == 0 {
		cmd.WaitDelay = time.Second // for output that a grandchild keeps open
	}
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The kernel's parent-death signal follows the thread that forked, not
		// the process (prctl(2)), so that thread is kept until the child ends.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := startGroup(cmd); err != nil {
			started <- err
			return
		}
		started <- nil
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// PID is the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended and its output has been read.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is how the child ended: nil for exit status 0. Valid after Done.
func (p *Process) Err() error {
	<-p.done
	return p.err
}

// Stop asks the child's process group to end, kills it after grace, and
// returns when the child is gone. Stopping an ended child does nothing.
func (p *Process) Stop(grace time.Duration) {
	select {
	case <-p.done:
		return
	default:
	}
	terminateGroup(p.cmd.Process.Pid)
	select {
	case <-p.done:
	case <-time.After(grace):
		p.Kill()
	}
}

// Kill ends the child's process group at once and returns when the child is
// gone.
func (p *Process) Kill() {
	select {
	case <-p.done:
		return
	default:
	}
	killGroup(p.cmd.Process.Pid)
	<-p.done
}
