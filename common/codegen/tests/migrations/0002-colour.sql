-- works-with-older-builds
ALTER TABLE widget ADD colour text;
