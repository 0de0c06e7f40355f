//! The queue: callers waiting, and whom to offer which caller. Priority, then the longest wait.
