-- A day of the log is found by summaries of ranges of pages, which vacuum made. Since it leaves the log alone (0015), whoever asked
-- for a day read all that had come since: the job that forgets old events did, every minute. Now a range is summarised when it is full.
alter index event_log_by_time set (autosummarize = on);
select brin_summarize_new_values('event_log_by_time');
