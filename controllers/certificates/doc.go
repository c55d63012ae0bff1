// Package certificates keeps the Secrets by which odi's components know each
// other: odiglets and node collectors, node collectors and the gateway. From the
// authorities, which only the manager reads, it issues one certificate for each
// end of each hop and renews it long before its end. Pods mount the Secrets and
// read them again by themselves. The manager runs this package.
package certificates
