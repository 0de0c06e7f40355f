-- Who made a change of a schedule, as the audit log has it: names are not one person's alone. Null: made before this was kept.
ALTER TABLE schedule_change ADD COLUMN made_by_who TEXT;
