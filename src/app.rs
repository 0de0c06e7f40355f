//! Composition root: builds everything, shuts it down in order.
