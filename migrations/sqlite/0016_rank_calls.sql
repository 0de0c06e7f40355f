-- Callers who are known to call about this go before others. Null: it says nothing of that.
ALTER TABLE call_type ADD COLUMN priority INTEGER;

-- What a caller who is to be called back called about, as far as their call knew.
ALTER TABLE callback ADD COLUMN call_type TEXT;
