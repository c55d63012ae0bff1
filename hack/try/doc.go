// Command try shows what odi does, in some seconds and without a cluster: it
// starts two services of the demo shop on loopback, lets the real `odi run`
// trace them, sends requests, prints their trace trees and the books, and stops
// all. It fails unless a trace spans both services. Needs root.
package main
