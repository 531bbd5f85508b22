// Runs dynalite on a free loopback port, says where in one line, and ends when
// standard input closes: that is how it notices that its parent is gone.
const server = require('dynalite')({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
server.listen(0, '127.0.0.1', () => {
  console.log(`dynalite listening on http://127.0.0.1:${server.address().port}`)
})
process.stdin.on('end', () => process.exit(0)).resume()
