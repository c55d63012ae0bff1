package main

import (
	"context"
	"time"

	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/traffic"
)

// driveOrders sends orders one at a time, by HTTPS.
func (d *demo) driveOrders(ctx context.Context) (err error) {
	d.orders, err = d.send(ctx, traffic.Load{URL: shop.SecureURL, Path: shop.OrderPath, Requests: 20, Concurrency: 1, Pause: 100 * time.Millisecond}, "orders")
	return err
}

func (d *demo) showOrder(ctx context.Context) error {
	return d.showTypical(ctx, d.orders, shop.OrderServices)
}
